import { systemContext } from '../fhir/index.ts';
import {
  isPublishedLate,
  lateChanges,
  type Penalties,
  penaltiesCsv,
  penaltiesOf,
  totals,
} from '../teleradiology/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

/** What late clocks of a month cost an establishment: `<tenant> <establishment> <YYYY-MM> [--csv]`. */
export function penalties(args: string[], env: Environment): Promise<number> {
  const [tenant, establishment, month] = args.filter((argument) => !argument.startsWith('--'));
  if (!tenant || !establishment || !month)
    throw new CommandError('penalties <groupe> <établissement> <AAAA-MM> [--csv]');
  return inAuditRoom(env, async ({ config, store, tenants, tell }) => {
    await tenants(tenant);
    await tell(tenant, 'operator:penalties', { kind: 'operator-command', details: { establishment, month } });
    const context = systemContext(tenant, 'operator:penalties', config.clock);
    const found = await store.transaction(context, (tx) => penaltiesOf(tx, establishment, month));
    process.stdout.write(args.includes('--csv') ? penaltiesCsv(found) : summary(found));
    return 0;
  });
}

function summary({ runs, rota }: Penalties): string {
  const lines = runs.map(({ caseNumber, clock, lateMs, open, amounts }) => {
    const cost = [...amounts].map(([currency, cents]) => `${(cents / 100).toFixed(2)} ${currency}`).join(' + ');
    return `${caseNumber}  ${clock.name}  ${clock.rule}  ${Math.ceil(lateMs / 60_000)} min de retard${open ? ', en cours' : ''}  ${cost || 'sans pénalité'}`;
  });
  const sums = [...totals(runs, rota)].map(([currency, cents]) => `${(cents / 100).toFixed(2)} ${currency}`);
  const late = [
    ...(isPublishedLate(rota) ? ['tableau de garde publié en retard'] : []),
    ...(lateChanges(rota) > 0 ? [`changements tardifs du tableau de garde : ${lateChanges(rota)}`] : []),
  ];
  return [
    ...lines,
    `${runs.length} retard${runs.length > 1 ? 's' : ''}${sums.length > 0 ? `, ${sums.join(' + ')}` : ''}`,
    ...late,
    '',
  ].join('\n');
}
