import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCases } from './cases/cases.ts';
import { remainder } from './cases/remainder.ts';

/**
 * Path of a copy of github.com/FHIR/fhir-test-cases; nothing of it is in this repository. The outcomes there are those of HL7's
 * validator at the time of the copy: they were compared at release 1.7.64.
 */
const copy = process.env.FHIR_TEST_CASES;
const folder = copy && join(copy, 'validator');

describe.runIf(folder && existsSync(folder))("FHIR's own cases for validators (FHIR_TEST_CASES)", () => {
  it('have the same outcome here, error or none, but for those listed with their reason', () => {
    const cases = readCases(folder!);
    const listed = new Set(Object.values(remainder).flat());
    const different = cases.filter(({ expected, run }) => (run().length === 0) !== expected);
    expect(cases.length).toBeGreaterThan(600);
    expect(new Set(different.map(({ name }) => name))).toEqual(listed);
    expect(cases.length - different.length).toBeGreaterThanOrEqual(477);
  }, 120_000);
});
