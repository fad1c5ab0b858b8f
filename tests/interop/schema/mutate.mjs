// mutate.mjs - seeded changes of events, most of which break a rule.
import { isObject, isText } from './read.mjs';

// xorshift32: the same everywhere
let state = 1;
export function start(seed) {
	state = (seed * 2654435761 >>> 0) || 1;
}
export function random(n) {
	state ^= state << 13;
	state >>>= 0;
	state ^= state >>> 17;
	state ^= state << 5;
	state >>>= 0;
	return state % n;
}
export const pick = (list) => list[random(list.length)];

// every place in a value: [holder, key]
function places(v, out = []) {
	if (v === null || typeof v !== 'object')
		return out;
	for (const k of Object.keys(v)) {
		out.push([v, Array.isArray(v) ? Number(k) : k]);
		places(v[k], out);
	}
	return out;
}

let texts; // strings of all events by their name
export function learn(events) {
	texts = new Map();
	for (const e of events)
		for (const [h, k] of places(e)) {
			if (!isText(h[k]))
				continue;
			if (!texts.has(k))
				texts.set(k, new Set());
			texts.get(k).add(h[k]);
		}
	texts = new Map([...texts].map(([k, v]) => [k, [...v]]));
}

const odd = [null, true, false, 0, 1, 2, 3, 4, 5, 6, 8, 9, -1, 1.5, 99, 199,
	200, 202, 204, 299, 300, 399, 400, 401, 404, 408, 500, 503, 599, 600,
	'', ' ', 'OK', 'Not Found', 'success', 'failure', 'pending', 'unknown',
	'normal', 'warning', 'critical', 'IPv4', 'IPv6', 'CSE', 'subnet',
	'203.0.113.7', '203.0.113.256', '203.0.113.07', '::1', '2001:db8::7',
	'2001:db8:::7', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:9', '::ffff:1.2.3.4',
	'1::2::3', '12345::', 'fe80::1%eth0', '2025-11-22T10:42:07.31+0000',
	'2025-11-22T10:42:07.3Z', '2024-02-29T23:59:60.00+0000',
	'2025-02-29T10:42:07.31+0000', '2026-01-31T09:00:00Z',
	'2026-01-31T24:00:00Z', 'Bearer eyJhbGciOi', '-----BEGIN PRIVATE KEY-----',
	'a.eyJzdWIi', 'service/security/account/serviceid',
	'[us-south].[AZ1-CS4].[00].[04]', '[eu-de].[AZ1-CS4].[00].[03]',
	'us-south.AZ1-CS4.00.03', 'CRN:v1:a:b:c:d:e:f:g:h',
	'crn:v1:bluemix:public:hs-crypto:eu-de:a/0:b::',
	'crn:v1:bluemix:public:hs-crypto:mars:a/0:b::', '0'.repeat(64),
	'A'.repeat(64), '0'.repeat(63), [], ['x'], ['0'.repeat(64)],
	['0'.repeat(64), '1'.repeat(64), '2'.repeat(64)],
	['0'.repeat(64), '1'.repeat(64), '2'.repeat(64), '3'.repeat(64)], {},
	{ x: 1 }, { password: 'x' }, 'hs-crypto.secrets.createalias',
	'hs-crypto.secrets.defaultalias', 'hs-crypto.no.such', 'ü€😀'];
const strange = ['x', 'ACTION', 'correlationID', 'correlationId', '_ts', 'id',
	'reasonForFailure', 'password', 'Secret', 'instanceId', 'keyState',
	'location', 'signatureThreshold', 'masterKeyIds', 'alias', '__proto__x',
	'initialValue', 'newValue'];

const changes = {
	remove(e) {
		const [h, k] = pick(places(e));
		if (Array.isArray(h))
			h.splice(k, 1);
		else
			delete h[k];
	},
	set(e) {
		const [h, k] = pick(places(e));
		h[k] = structuredClone(pick(odd));
	},
	// a value that another event has under this name
	swap(e) {
		const [h, k] = pick(places(e).filter(([p, q]) => isText(p[q])));
		h[k] = pick(texts.get(k) ?? ['x']);
	},
	// one character of a string
	letter(e) {
		const [h, k] = pick(places(e).filter(([p, q]) => isText(p[q])));
		const s = [...h[k]], at = random(s.length + 1);
		s.splice(at, random(2), pick([...'aA0:./-[]+ \n"{}\\€zZ9_', '']));
		h[k] = s.join('');
	},
	number(e) {
		const all = places(e).filter(([p, q]) => typeof p[q] === 'number');
		if (all.length === 0)
			return;
		const [h, k] = pick(all);
		h[k] = pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, 100, 200, 201, 202,
			299, 400, 401, 403, 404, 409, 424, 429, 500, 501, 502, 507,
			599, 600, 1.5]);
	},
	add(e) {
		const all = places(e).filter(([p, q]) => isObject(p[q]));
		const [h, k] = random(3) === 0 || all.length === 0 ?
			[{ e }, 'e'] : pick(all);
		h[k][pick(strange)] = structuredClone(pick(odd));
	},
	rename(e) {
		const [h, k] = pick(places(e).filter(([p]) => isObject(p)));
		const v = h[k];
		delete h[k];
		h[pick([...strange, k.toUpperCase(), k + 's'])] = v;
	},
	// a documented member
	data(e) {
		const all = ['requestData', 'responseData']
			.filter((d) => isObject(e[d])).flatMap((d) => places(e[d]));
		if (all.length === 0)
			return;
		const [h, k] = pick(all);
		h[k] = structuredClone(typeof h[k] === 'number' ?
			pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1]) : pick(odd));
	},
	list(e) {
		const all = places(e).filter(([p, q]) => Array.isArray(p[q]));
		if (all.length === 0)
			return;
		const [h, k] = pick(all);
		if (random(2) === 0)
			h[k].push(pick(['3'.repeat(64), 'x', 7, null]));
		else
			h[k].splice(random(h[k].length + 1), 1);
	},
};

const kinds = [...Object.keys(changes), 'data', 'data', 'number', 'list'];

// of the text: what a tree cannot hold
const scars = [
	(t) => t.replace(/"id":"[^"\\]*",/, '$&$&'),
	(t) => t.replace(/"requestData":\{(?=")/,
		'"requestData":{"n":9007199254740993,'),
	(t) => t.replace(/"requestData":\{(?=")/, '"requestData":{"z":"\\u0000",'),
	(t) => t.replace(/"requestData":\{(?=")/,
		'"requestData":{"s":"\\ud83d!","\\udc00":1,"e":1e400,'),
	(t) => t.replace(/"responseData":\{(?=")/,
		'"responseData":{"k":{"a":1,"a":2},'),
	(t) => t.slice(0, 1 + random(t.length)),
	(t) => t + pick([',', '}', ' x', '0']),
	(t) => t.replace(':', pick(['', '::', '=', ': :'])),
	(t) => t.replaceAll('":', '" :\t'),
];

// as a collector exports it
export function wrap(text) {
	const e = JSON.parse(text);
	if (!isObject(e))
		return text;
	for (const data of ['requestData', 'responseData'])
		if (isObject(e[data]))
			e[data] = JSON.stringify(e[data]);
	if (random(4) === 0)
		return JSON.stringify({ _host: 'h', _line: JSON.stringify(e) });
	return JSON.stringify({ ...e, _host: 'h', _ts: 1763808127310 });
}

export function mutate(event) {
	let e = structuredClone(event);
	for (let n = pick([1, 1, 1, 2, 3]); n > 0; n--) {
		if (places(e).length < 8)
			break;
		changes[pick(kinds)](e);
	}
	if (random(500) === 0)
		e = structuredClone(pick(odd));
	const text = JSON.stringify(e);
	return random(20) === 0 ? pick(scars)(text) : text;
}
