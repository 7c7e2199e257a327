/** CIM-10 FR for PMSI, from LIBCIM10MULTI.TXT of the ATIH: code, use in MCO, SMR and psychiatry, short and long name, parted by `|`. */
import type { Concept, ConceptProperty } from '../concept.ts';
import { encodingOf, oneFile, readLines } from './files.ts';
import { LoadError } from './load-error.ts';
import type { LoadableSystem } from './store-system.ts';

const cim10Url = 'http://hl7.org/fhir/sid/icd-10';

/** @param path the file, or a folder that holds it. @throws LoadError */
export async function readCim10(path: string, options: { version?: string } = {}): Promise<LoadableSystem> {
  const file = await oneFile(path, /^LIBCIM10MULTI.*\.TXT$/i, 'LIBCIM10MULTI.TXT');
  const compact = new Map<string, Concept>();
  for await (const { text, place } of readLines(file, await encodingOf(file))) {
    if (text.trim() === '') continue;
    const fields = text.split('|').map((field) => field.trim());
    if (fields.length !== 6) throw new LoadError(`${fields.length} champs au lieu de 6`, place);
    const [code, mco, smr, psychiatry, shortName, longName] = fields as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    if (!/^[A-Z]\d\d[\dA-Z+]*$/.test(code))
      throw new LoadError(`« ${code.slice(0, 20)} » n’est pas un code de la CIM-10`, place);
    if (compact.has(code)) throw new LoadError(`le code ${code} y est deux fois`, place);
    const property = (name: string, value: string): ConceptProperty[] =>
      value === '' ? [] : [{ code: name, type: 'code', value }];
    const parent = parentOf(code, compact);
    compact.set(code, {
      code: dotted(code),
      display: longName || shortName,
      designations: longName && shortName ? [{ language: 'fr', value: shortName }] : [],
      properties: [
        ...property('pmsi', code),
        ...property('type-mco', mco),
        ...property('profil-smr', smr),
        ...property('type-psy', psychiatry),
      ],
      parents: parent === undefined ? [] : [dotted(parent)],
      abstract: false,
      inactive: false,
    });
  }
  return {
    info: {
      url: cim10Url,
      ...(options.version ? { version: options.version } : {}),
      name: 'CIM10FR',
      title: 'CIM-10 FR à usage PMSI',
      language: 'fr',
      valueSet: `${cim10Url}/vs`,
      properties: ['pmsi', 'type-mco', 'profil-smr', 'type-psy'].map((code) => ({ code, type: 'code' })),
    },
    concepts: [...compact.values()],
  };
}

/** The PMSI writes A000 what everybody else writes A00.0; an extension by `+` directly after the category keeps its form. */
function dotted(code: string): string {
  return code.length > 3 && code[3] !== '+' ? `${code.slice(0, 3)}.${code.slice(3)}` : code;
}

/** The longest beginning of a code that is a code; the file has parents first. */
function parentOf(code: string, known: ReadonlyMap<string, Concept>): string | undefined {
  for (let length = code.length - 1; length >= 3; length--) {
    const candidate = code.slice(0, length);
    if (known.has(candidate)) return candidate;
  }
  return undefined;
}
