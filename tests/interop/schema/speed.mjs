// speed.mjs SCHEMA EVENTS N - CPU seconds that Ajv needs for the first N lines,
// and that JSON.parse alone needs. Prints one JSON object.
import { openSync, readSync, readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';

const [schema, file, n] = process.argv.slice(2);
const validate = new Ajv2020({ strict: true })
	.compile(JSON.parse(readFileSync(schema)));

// in blocks: all of it at once would be no fair use of the memory
function* lines() {
	const fd = openSync(file);
	const block = Buffer.alloc(1 << 20);
	const utf8 = new TextDecoder();
	let rest = '';
	for (let got; (got = readSync(fd, block)) > 0;) {
		const text = utf8.decode(block.subarray(0, got), { stream: true });
		const parts = (rest + text).split('\n');
		rest = parts.pop();
		yield* parts;
	}
}

const cpu = () => {
	const u = process.cpuUsage();
	return (u.user + u.system) / 1e6;
};
function measure(each) {
	const start = cpu();
	let left = Number(n);
	for (const l of lines()) {
		if (left-- === 0)
			break;
		each(l);
	}
	return cpu() - start;
}
let refused = 0;
const parse = measure((l) => JSON.parse(l));
const seconds = measure((l) => {
	if (!validate(JSON.parse(l)))
		refused++;
});
console.log(JSON.stringify({ seconds, parse, refused }));
