/** JSON of resources: every text that comes in, is stored or is read to be changed goes through here. */
export { parseJson, stringifyJson } from './json.ts';
export { hasLiterals, keepLiterals, literalOf, markHolder, remember } from './literals.ts';
export { isUnusual } from './scan.ts';
