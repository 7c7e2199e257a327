/** XML of resources, both ways, for R4. */
import { r4Structure } from '../definitions/structure-r4.ts';
import { xmlTypes } from './elements.ts';
import { readXml } from './read.ts';
import { writeXml } from './write.ts';

const r4 = xmlTypes(r4Structure);

/** A resource in its JSON form. @throws FhirError 400 with line, column and (where known) the element. */
export function parseXml(text: string): unknown {
  return readXml(text, r4);
}

/** @throws Error for what is no resource of R4. */
export function stringifyXml(resource: unknown, isPretty = false): string {
  return writeXml(resource, r4, isPretty);
}
