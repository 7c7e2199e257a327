/** Runs the command named on the command line, `serve demo migrate token user bench …`: only the one asked for is loaded. */
import { surviveOurWords } from './cli/last-resort.ts';
import { startSmall } from './small-start.ts';

startSmall();
surviveOurWords();
const { runCommand } = await import('./cli/commands.ts');
process.exitCode = await runCommand(process.argv.slice(2), process.env);
