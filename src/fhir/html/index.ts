/** Pages for people: what a browser is answered instead of JSON or XML. In French, without script, everything escaped. */
export { type Asked, answerPage } from './answer.ts';
export { stylesheet, stylesheetPath, type Viewer } from './layout.ts';
export { startPage } from './start.ts';
