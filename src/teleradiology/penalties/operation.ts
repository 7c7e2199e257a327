/** `Organization/[id]/$penalties`: what late clocks of a month cost by the establishment's contract, and what of its rota was late (WF-4, CM-2). */
import { FhirError, type FhirTransaction, type Operation, parameterNamed } from '../../fhir/index.ts';
import { text } from '../operations/parameters.ts';
import { monthNamed, rotaLateness } from '../rota/index.ts';
import { establishmentSettings } from '../settings.ts';
import { lateRuns } from './late-runs.ts';
import { type Penalties, penaltiesCsv, penaltiesParameters } from './report.ts';
import { rotaLapses } from './rota-lapses.ts';

export const penaltiesOperation: Operation = {
  name: 'penalties',
  type: 'Organization',
  level: 'instance',
  seesWhole: true,
  affectsState: false,
  async run({ tx, id = '', parameters, authorize }) {
    // They follow from the contract, and tell of it.
    authorize({ interaction: 'read', type: 'Contract' });
    const name = text(parameters, 'month', 7) ?? '';
    const format = text(parameters, 'format', 8) ?? 'parameters';
    if (format !== 'parameters' && format !== 'csv')
      throw notUnderstood('format', 'format is parameters or csv', 'Le format est « parameters » ou « csv ».');
    refuseElsewhere(tx, id);
    const penalties = await penaltiesOf(tx, id, name);
    if (format === 'parameters') return penaltiesParameters(id, name, penalties);
    const headers = { 'content-disposition': `attachment; filename="penalites-${id}-${name}.csv"` };
    return { status: 200, headers, content: { type: 'text/csv; charset=utf-8', body: penaltiesCsv(penalties) } };
  },
};

/** Every establishment is in the directory; its cases are not everybody's. @throws FhirError 403. */
function refuseElsewhere({ context }: FhirTransaction, establishmentId: string): void {
  const { establishments = [] } = context;
  if (establishments.length === 0 || establishments.includes(establishmentId)) return;
  throw FhirError.of(403, [
    {
      severity: 'error',
      code: 'forbidden',
      details: { text: 'Cet établissement ne vous a pas accepté : ses pénalités ne sont pas les vôtres.' },
      diagnostics: 'The penalties are of an establishment that did not accept this account',
    },
  ]);
}

/** @param month `YYYY-MM`. @throws FhirError 400 for what is no month, 404 for an unknown establishment. */
export async function penaltiesOf(tx: FhirTransaction, establishmentId: string, month: string): Promise<Penalties> {
  const { timeZone } = establishmentSettings(await tx.read('Organization', establishmentId)).delays;
  const bounds = monthNamed(month, timeZone);
  if (bounds === undefined) throw notUnderstood('month', 'month is YYYY-MM', 'Le mois est de la forme AAAA-MM.');
  return {
    runs: await lateRuns(tx, establishmentId, bounds, timeZone),
    rota: await rotaLapses(tx, establishmentId, timeZone, await rotaLateness(tx, establishmentId, bounds, timeZone)),
  };
}

function notUnderstood(parameter: string, diagnostics: string, french: string): FhirError {
  const expression = [parameterNamed(parameter)];
  return FhirError.of(400, [{ severity: 'error', code: 'value', details: { text: french }, diagnostics, expression }]);
}
