/** JSON of resources: every text that comes in, is stored or is read to be changed goes through here. */
export { parseJson, parseSentJson, stringifyJson } from './json.ts';
export {
  forget,
  hasEndlessNumber,
  hasLiterals,
  keepLiterals,
  literalOf,
  markHolder,
  remember,
  shiftLiterals,
} from './literals.ts';
export { isUnusual } from './scan.ts';
