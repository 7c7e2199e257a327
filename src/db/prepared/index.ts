/** Prepared statements, as few bytes and as little work as PostgreSQL's protocol allows. */
export { type Answer, runPrepared, type Statement } from './statement.ts';
