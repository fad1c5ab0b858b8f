// agree.mjs - what Ajv says of events by `hsa schema` against what `hsa
// validate` says of them, check by check.
//   node agree.mjs HSA CORPUS
// CORPUS is what `hsa corpus` wrote. MUTATIONS (20000) of its valid events are
// made from SEED (1). What no schema can say (hsa schema --reach: part) is read
// here from the event's text.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import { learn, mutate, pick, random, start, wrap } from './mutate.mjs';
import { isObject, isText, read, unwrap } from './read.mjs';

const [hsa, corpus] = process.argv.slice(2);
const mutations = Number(process.env.MUTATIONS ?? 20000);
const seed = Number(process.env.SEED ?? 1);
const big = 2 ** 28;

// ---- the schema ---------------------------------------------------------------

// "E02, additionalProperties: E01"
function checkOf(comment, keyword) {
	const [main, ...rest] = comment.split(/, */);
	for (const r of rest) {
		const [k, id] = r.split(/: */);
		if (k === keyword)
			return id;
	}
	return main;
}

// For each subschema the comment that is nearest above it.
function comments(schema, above, map) {
	if (schema === null || typeof schema !== 'object')
		return map;
	const own = typeof schema.$comment === 'string' ? schema.$comment : above;
	map.set(schema, own);
	for (const sub of Object.values(schema))
		comments(sub, own, map);
	return map;
}

// A function that gives the checks which find something in an event.
function compile(args) {
	const text = execFileSync(hsa, ['schema', ...args],
		{ encoding: 'utf8', maxBuffer: big });
	const schema = JSON.parse(text);
	const said = [];
	const note = (...what) => said.push(what.join(' '));
	const ajv = new Ajv2020({ strict: true, allErrors: true,
		verbose: true, validateSchema: true, logger: { log: note, warn: note, error: note } });
	const validate = ajv.compile(schema);
	if (said.length > 0)
		throw new Error(`Ajv complains: ${said.join('\n')}`);
	const comment = comments(schema, undefined, new Map());
	return (event) => {
		const checks = new Set();
		if (validate(event))
			return checks;
		for (const e of validate.errors) {
			if (e.keyword === 'if') // those of "then" say what
				continue;
			const said = comment.get(e.parentSchema);
			if (said === undefined)
				throw new Error(`no check for ${e.schemaPath}`);
			checks.add(checkOf(said, e.keyword));
		}
		return checks;
	};
}

// ---- what is beyond a schema ----------------------------------------------------

const tke = new Set(JSON.parse(execFileSync(hsa, ['catalogue', '--format',
	'json'], { encoding: 'utf8', maxBuffer: big }))
	.filter((r) => r.family === 'tke').map((r) => r.action));

const beyond = {
	E08: (e) => tke.has(e.action) && isText(e.target?.name) &&
		isText(e.requestData?.location) &&
		e.requestData.location !== e.target.name,
	E13: (e) => {
		const a = e.requestData?.verificationPattern;
		const b = e.responseData?.verificationPattern;
		return e.outcome === 'success' && isText(a) && isText(b) &&
			e.action === 'hs-crypto.tke-cryptounit-master-key-' +
				'register.activate' &&
			// the last four bytes are the card's
			a.slice(0, 56) !== b.slice(0, 56);
	},
	E16: (e) => {
		const a = e.logSourceCRN, b = e.target?.id;
		if (!isText(a) || !isText(b))
			return false;
		const p = a.split(':'), q = b.split(':');
		return p.length >= 10 && q.length >= 10 &&
			(p[6] !== q[6] || p[7] !== q[7]);
	},
};

// ---- both read ------------------------------------------------------------------

function reach() {
	const out = execFileSync(hsa, ['schema', '--reach'], { encoding: 'utf8' });
	return new Map(out.trimEnd().split('\n').map((line) => {
		const [id, how, why] = line.split('\t');
		return [id, { how, why }];
	}));
}
const reaches = reach();

// What hsa validate finds: of each file, or (lines) of each line of one.
function told(sources, args) {
	const r = spawnSync(hsa, ['validate', '--single', '--format', 'json',
		...args, ...sources], { encoding: 'utf8', maxBuffer: big });
	if (r.status !== 0 && r.status !== 1)
		throw new Error(`hsa validate: ${r.status} ${r.stderr}`);
	const out = r.stdout.trimEnd().split('\n').map((l) => JSON.parse(l));
	const { summary } = out.pop();
	const found = new Map();
	for (const f of out) {
		const at = `${f.input} ${f.index}`;
		if (!found.has(at))
			found.set(at, new Map());
		const to = found.get(at);
		if (!to.has(f.check) || f.level === 'error')
			to.set(f.check, f.level);
	}
	return { found, events: summary.events };
}

let disagree = 0;
const by = new Map(); // check: how often both found it

// events: [{ bytes, at: "input index" }]
function compare(name, events, found, args, warnings) {
	const check = compile([...args, ...(warnings ? ['--warnings'] : [])]);
	const exported = args.includes('at-export');
	let agreeing = 0, refused = 0, none = 0;
	for (const { bytes, at } of events) {
		const raw = read(bytes);
		const got = exported ? unwrap(raw) : raw;
		const theirs = got === undefined ? new Set(['E01']) :
			check(got.event);
		if (got === undefined)
			none++;
		if (got?.flawed)
			theirs.add('E01');
		if (isObject(got?.event))
			for (const [id, rule] of Object.entries(beyond))
				if (rule(got.event))
					theirs.add(id);
		const ours = found.get(at) ?? new Map();
		const wrong = [];
		for (const [id, { how }] of reaches) {
			const level = ours.get(id);
			const we = level === 'error' ||
				(warnings && level !== undefined);
			if (how === 'none')
				continue;
			if (we && theirs.has(id))
				by.set(id, (by.get(id) ?? 0) + 1);
			if (we !== theirs.has(id))
				wrong.push(`${id} ${we ? 'hsa' : 'Ajv'} alone`);
		}
		// as it was exported, no more is found
		if (exported && raw !== undefined)
			for (const id of check(raw.event))
				if (!theirs.has(id))
					wrong.push(`${id} in what was not unwrapped`);
		if (wrong.length > 0 && disagree++ < 10)
			console.error(`${name}, ${args.join(' ')}: ` +
				`${wrong.join(', ')}: ${bytes}`);
		if (wrong.length === 0)
			agreeing++;
		if (theirs.size > 0)
			refused++;
	}
	console.log(`COUNT agreement ${name}, ${args.join(' ')}` +
		`${warnings ? ', with warnings' : ''}: ${agreeing} of ` +
		`${events.length} events, ${refused} of them refused` +
		(none > 0 ? `, ${none} no JSON` : ''));
}

function inLines(texts, dir, args) {
	const file = join(dir, 'events.jsonl');
	// the first line says that these are lines
	writeFileSync(file, ['{}', ...texts, ''].join('\n'));
	const { found, events } = told([file], args);
	if (events !== texts.length + 1)
		throw new Error(`${events} events, not ${texts.length + 1}`);
	return { found, events: texts.map((t, i) =>
		({ bytes: Buffer.from(t), at: `${file} ${i + 1}` })) };
}

const dir = mkdtempSync(join(tmpdir(), 'cu-agree-'));
try {
	const index = JSON.parse(readFileSync(join(corpus, 'index.json')));
	// records around events, and what events say to each other, are beyond
	const alone = index.filter((e) => e.file.endsWith('.json') &&
		['ibm-at', 'at-export'].includes(e.profile) &&
		reaches.get(e.check)?.how !== 'none');
	const groups = new Map();
	for (const e of alone) {
		const key = `${e.profile} ${e.strict}`;
		groups.set(key, [...groups.get(key) ?? [], e]);
	}
	for (const [, all] of groups) {
		const args = ['--profile', all[0].profile,
			all[0].strict ? '--strict' : '--lenient'];
		for (const good of [true, false]) {
			const list = all.filter((e) => (e.check === null) === good);
			if (list.length === 0)
				continue;
			const files = list.map((e) => join(corpus, e.file));
			compare(good ? 'of valid events' : 'of broken events',
				files.map((f) => ({ bytes: readFileSync(f), at: `${f} 0` })),
				told(files, args).found, args, !good);
		}
	}

	const valid = alone.filter((e) => e.check === null &&
		e.profile === 'ibm-at')
		.map((e) => JSON.parse(readFileSync(join(corpus, e.file))));
	learn(valid);
	start(seed);
	const crypto = valid.filter((e) => tke.has(e.action));
	const mutated = Array.from({ length: mutations },
		() => mutate(pick(random(3) === 0 ? crypto : valid)));
	const wrapped = mutated.map((t) => read(Buffer.from(t)) !== undefined &&
		!read(Buffer.from(t)).flawed ? wrap(t) : t);
	for (const [texts, warnings, ...args] of [
		[mutated, true, '--profile', 'ibm-at', '--strict'],
		[mutated, false, '--profile', 'ibm-at', '--strict'],
		[mutated, false, '--profile', 'ibm-at', '--lenient'],
		[mutated, true, '--profile', 'ibm-at', '--private-network'],
		[wrapped, true, '--profile', 'at-export', '--strict'],
		[wrapped, false, '--profile', 'at-export', '--lenient']]) {
		const { found, events } = inLines(texts, dir, args);
		compare('of mutations', events, found, args, warnings);
	}

	const silent = [...reaches].filter(([id, r]) => r.how !== 'none' &&
		!by.has(id)).map(([id]) => id);
	let row = [...by].sort().map(([id, n]) => `${id} ${n}`);
	for (; row.length > 0; row = row.slice(8))
		console.log(`COUNT agreement, found by both: ` +
			row.slice(0, 8).join(', '));
	const beside = new Map();
	for (const [id, { how, why }] of reaches)
		if (how !== 'all') {
			const key = `${how === 'part' ? 'part' : 'none'} of a schema: ${why}`;
			beside.set(key, [...beside.get(key) ?? [], id]);
		}
	for (const [why, ids] of beside)
		console.log(`COUNT agreement, ${ids.join(' ')} ${why}`);
	if (silent.length > 0)
		console.error(`never found: ${silent.join(', ')}`);
	if (disagree > 0)
		console.error(`${disagree} events with disagreements`);
	process.exitCode = disagree > 0 || silent.length > 0 ? 1 : 0;
} finally {
	rmSync(dir, { recursive: true });
}
