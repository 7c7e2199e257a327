/**
 * Writes `src/imaging/dicom/data-elements.generated.txt`: tag, value representation and keyword of each data element of PS3.6, a line
 * each, from the dictionary of dcmjs. The dictionary itself, 1.4 MB of source, would stay in the memory of every server.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import dictionary from 'dcmjs/dictionary';

export const output = fileURLToPath(new URL('../src/imaging/dicom/data-elements.generated.txt', import.meta.url));

/** Ranges of tags and what the standard retired long ago are left out, as their tags are no numbers. */
export function generateDataElements(): string {
  const lines = Object.values(dictionary).flatMap(({ tag, vr, name, version }) => {
    const match = /^\(([0-9A-F]{4}),([0-9A-F]{4})\)$/i.exec(tag);
    return match && version === 'DICOM' ? [`${match[1]}${match[2]} ${vr} ${name}`.trim()] : [];
  });
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(output, generateDataElements());
