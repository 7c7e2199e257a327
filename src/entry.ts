/** Runs the command named on the command line, `serve demo migrate token user bench …`: only the one asked for is loaded. */
import { surviveOurWords } from './cli/last-resort.ts';
import { startSmall } from './small-start.ts';

startSmall();
surviveOurWords();
const { runCommand } = await import('./cli/commands.ts');
const code = await runCommand(process.argv.slice(2), process.env);
// What was lost on the way (last-resort.ts) is not a success.
process.exitCode ||= code;
