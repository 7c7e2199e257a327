import { type SyntheticCtOptions, syntheticCt } from '../../src/cli/synthetic-ct.ts';

/** A small CT series for tests: 3 slices of 64 × 64 unless said otherwise. */
export function smallCt(options: Partial<SyntheticCtOptions> = {}): Buffer[] {
  return [
    ...syntheticCt({
      studyUid: '2.25.1001',
      patientId: 'IPP-1001',
      patientName: 'TEST-MOREAU^CAMILLE',
      birthDate: '19850417',
      sex: 'F',
      accessionNumber: 'ACC-1001',
      placerOrderNumber: 'PLAC-1001',
      studyDate: new Date('2026-01-15T02:30:00Z'),
      slices: 3,
      size: 64,
      ...options,
    }),
  ];
}
