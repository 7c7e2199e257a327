import { FhirError } from '../contract.ts';

const extensions = 'http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-';

/** Where in the text, from 1: the last character read. */
export interface XmlPlace {
  line: number;
  column: number;
}

/** What is wrong with an XML body, and where (https://hl7.org/fhir/R4/extension-operationoutcome-issue-line.html). */
export function xmlError({ line, column }: XmlPlace, problem: string, expression?: string): FhirError {
  const subject = expression ? `${expression}: ` : '';
  return FhirError.of(400, [
    {
      extension: [
        { url: `${extensions}line`, valueInteger: line },
        { url: `${extensions}col`, valueInteger: column },
      ],
      severity: 'error',
      code: 'structure',
      diagnostics: `${subject}${problem} (line ${line}, column ${column})`,
      ...(expression ? { expression: [expression] } : {}),
    },
  ]);
}
