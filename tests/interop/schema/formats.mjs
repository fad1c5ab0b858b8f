// formats.mjs - SARIF and TAP output of hsa validate as others read it, held
// against its JSON output.
//   node formats.mjs DIR NAME...
// DIR/NAME.json, .sarif and .tap are of the same inputs.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import { Parser } from 'tap-parser';

const [dir, ...names] = process.argv.slice(2);
const require = createRequire(import.meta.url);

// OASIS' schema, as Microsoft's matcher for Jest brings it
const schema = JSON.parse(readFileSync(join(require
	.resolve('@microsoft/jest-sarif/package.json'), '..', 'lib', 'schemas',
	'sarif-2.1.0-rtm.5.json')));
// a pattern of it is none with the flag u
const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false });
addFormats(ajv);
const isSarif = ajv.compile(schema);

let wrong = 0;
function must(so, what) {
	if (so)
		return;
	if (wrong++ < 20)
		console.error(what);
}
const text = (name, kind) => {
	const bytes = readFileSync(join(dir, `${name}.${kind}`));
	return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
};

// percent-encoded bytes, as a name that need not be UTF-8
const decode = (path) => Buffer.concat(path.split(/(%[0-9A-F]{2})/)
	.map((p) => /^%[0-9A-F]{2}$/.test(p) ? Buffer.from(p.slice(1), 'hex') :
		Buffer.from(p))).toString('utf8');

// input, index, check, level, path and message: what a finding is
function findings(name) {
	const lines = text(name, 'json').trimEnd().split('\n')
		.map((l) => JSON.parse(l));
	const { summary } = lines.pop();
	return { summary, list: lines };
}

function sarif(name, { list }) {
	const log = JSON.parse(text(name, 'sarif'));
	must(isSarif(log), `${name}: no SARIF: ` +
		ajv.errorsText(isSarif.errors?.slice(0, 5)));
	const [run] = log.runs;
	must(run.results.length === list.length,
		`${name}: ${run.results.length} results, ${list.length} findings`);
	run.results.forEach((r, i) => {
		const f = list[i];
		must(r.ruleId === f.check && r.level === f.level &&
			run.tool.driver.rules[r.ruleIndex].id === f.check &&
			r.message.text.endsWith(f.message) &&
			r.properties.path === f.path &&
			r.properties.index === f.index &&
			r.properties.action === f.action,
		`${name}: result ${i} is another one than finding ${i}`);
		for (const { physicalLocation: p } of r.locations) {
			// the file that it names is the one that was read
			const uri = new URL(p.artifactLocation.uri, 'file:///base/');
			const back = decode(uri.pathname);
			must(f.input === '-' || back.endsWith(f.input.replace(/^(\.?\/)+/, '/')),
				`${name}: ${p.artifactLocation.uri} is not ${f.input}`);
			must(p.region === undefined || p.region.startLine >= 1,
				`${name}: line ${p.region?.startLine}`);
		}
	});
	return run.results.length;
}

function tap(name, { summary, list }) {
	const results = [];
	const extra = [];
	const parser = new Parser({ strict: true });
	parser.on('assert', (a) => results.push(a));
	parser.on('extra', (e) => extra.push(e));
	parser.end(text(name, 'tap'));
	const r = parser.results;
	const tell = (r?.failures ?? []).filter((f) => f.tapError);
	must(tell.length === 0, `${name}: no TAP: ${JSON.stringify(tell[0])}`);
	must(extra.length === 0, `${name}: no TAP: ${extra[0]}`);
	// what is no event, and has findings, is a test as well
	const records = results.filter((a) => / before event \d+$/.test(a.name)).length;
	must(results.length === summary.events + records,
		`${name}: ${results.length} results, ${summary.events} events`);
	const bad = new Set(list.filter((f) => f.level === 'error')
		.map((f) => `${f.input}\n${f.index}`)).size;
	const failed = results.filter((a) => !a.ok).length;
	must(failed >= bad && failed <= bad + records,
		`${name}: ${failed} failed, ${bad} events with errors`);
	const told = results.flatMap((a) => a.diag?.findings ?? []);
	must(told.length === list.length,
		`${name}: ${told.length} in diagnoses, ${list.length} findings`);
	told.forEach((t, i) => must(t.check === list[i].check &&
		t.level === list[i].level && t.path === list[i].path &&
		t.message === list[i].message,
	`${name}: diagnosis ${i}: ${JSON.stringify(t)} is not ` +
		JSON.stringify(list[i])));
	must(results.every((a) => !a.todo && !a.skip),
		`${name}: a name became a directive`);
	return results.length;
}

let results = 0, points = 0;
for (const name of names) {
	const found = findings(name);
	results += sarif(name, found);
	points += tap(name, found);
}
console.log(`COUNT formats: SARIF 2.1.0 schema takes ${names.length} logs with ` +
	`${results} results, each a finding of --format json`);
console.log(`COUNT formats: tap-parser, strict, reads ${names.length} outputs ` +
	`with ${points} results, findings in their diagnoses as in --format json`);
if (wrong > 0)
	console.error(`${wrong} things wrong`);
process.exitCode = wrong > 0 ? 1 : 0;
