// read.mjs - an event's text as a validator of values gets it, and what such a
// one cannot see: names that are there twice, large integers, NUL, depth.
import { parseTree } from 'jsonc-parser';

export const isText = (v) => typeof v === 'string';
export const isObject = (v) => v !== null && typeof v === 'object' &&
	!Array.isArray(v);

// A tree's value; of two members with one name, the first.
function valueOf(node) {
	if (node.type === 'array')
		return node.children.map(valueOf);
	if (node.type !== 'object')
		return node.value;
	const o = {};
	for (const c of node.children)
		if (!Object.hasOwn(o, c.children[0].value))
			o[c.children[0].value] = valueOf(c.children[1]);
	return o;
}

// halves of a pair by themselves are no characters
const odd = (s) => s.includes('\0') || /\p{Surrogate}/u.test(s);

function flawed(text, node, depth = 0) {
	if (node.type === 'object' || node.type === 'array')
		depth++;
	if (depth > 64)
		return true;
	if (node.type === 'object') {
		const names = node.children.map((c) => c.children[0].value);
		if (new Set(names).size < names.length || names.some(odd))
			return true;
	}
	if (node.type === 'number') {
		const raw = text.slice(node.offset, node.offset + node.length);
		if (/^-?\d+$/.test(raw) && (BigInt(raw) > 2n ** 53n ||
		    BigInt(raw) < -(2n ** 53n)) || !Number.isFinite(node.value))
			return true;
	}
	if (node.type === 'string' && odd(node.value))
		return true;
	return (node.children ?? []).some((c) => flawed(text, c, depth));
}

// { event, flawed } of JSON; undefined: it is none, in the eyes of either reader.
function parse(text) {
	const errors = [];
	const root = parseTree(text, errors, { disallowComments: true });
	try {
		JSON.parse(text);
	} catch {
		return undefined;
	}
	if (errors.length > 0)
		throw new Error(`two readers disagree: ${text}`);
	return { event: valueOf(root), flawed: flawed(text, root) };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
export function read(bytes) {
	try {
		return parse(utf8.decode(bytes));
	} catch (e) {
		if (e instanceof TypeError)
			return undefined;
		throw e;
	}
}

// What a collector wrapped is taken out first, as any reader has to.
export function unwrap(got) {
	if (got === undefined || !isObject(got.event))
		return got;
	const out = { ...got };
	if (isText(out.event._line) && !Object.hasOwn(out.event, 'action')) {
		const inner = parse(out.event._line);
		if (inner !== undefined) {
			out.event = inner.event;
			out.flawed ||= inner.flawed;
		}
	}
	if (!isObject(out.event))
		return out;
	out.event = { ...out.event };
	for (const data of ['requestData', 'responseData']) {
		if (!isText(out.event[data]))
			continue;
		// no JSON in it: as wrong as any other type, and still seen
		const inner = parse(out.event[data]) ??
			{ event: [out.event[data]], flawed: false };
		out.event[data] = inner.event;
		out.flawed ||= inner.flawed;
	}
	return out;
}
