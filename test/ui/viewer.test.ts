import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DicomDataset } from '../../src/ui/viewer/dicom-json.ts';
import { identityDifferences } from '../../src/ui/viewer/identity-check.ts';
import { overlayOf } from '../../src/ui/viewer/overlay.ts';
import { seriesOf, stackOf } from '../../src/ui/viewer/series.ts';
import { dragged, rangeOf, windowingOf } from '../../src/ui/viewer/windowing.ts';
import { metadataAnswer, phantomSeries, seriesAnswer, studyUid } from './fake/phantom.ts';

const [brain] = phantomSeries;
const metadata = metadataAnswer(brain as NonNullable<typeof brain>, 5) as DicomDataset[];

describe('the series of a study', () => {
  it('come in their own order with what has arrived', () => {
    expect(seriesOf((seriesAnswer(5) as DicomDataset[]).reverse())).toMatchObject([
      { uid: `${studyUid}.1`, number: 1, modality: 'CT', description: 'Crâne parenchyme 0,6 mm', instances: 5 },
      { uid: `${studyUid}.2`, number: 2, instances: 5 },
    ]);
  });

  it('are read slice by slice whatever the order of the answer', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(metadata, { minLength: metadata.length }), (shuffled) => {
        expect(stackOf(shuffled, 'http://h/dicomweb').map((one) => one.instanceNumber)).toEqual([1, 2, 3, 4, 5]);
      }),
    );
  });

  it('fall back on the position along the normal, give each frame its place, and skip what has no pixels', () => {
    const slice = (z: number, more: DicomDataset = {}): DicomDataset => ({
      '0020000D': { Value: ['1.2'] },
      '0020000E': { Value: ['1.2.3'] },
      '00080018': { Value: [`1.2.3.${z}`] },
      '00280010': { Value: [64] },
      '00200032': { Value: [0, 0, z] },
      '00200037': { Value: [1, 0, 0, 0, 1, 0] },
      ...more,
    });
    const { '00280010': _, ...report } = slice(0);
    expect(
      stackOf([slice(9), report, slice(3, { '00280008': { Value: [2] } })], '/w').map((one) => one.imageId),
    ).toEqual([
      'wadors:/w/studies/1.2/series/1.2.3/instances/1.2.3.3/frames/1',
      'wadors:/w/studies/1.2/series/1.2.3/instances/1.2.3.3/frames/2',
      'wadors:/w/studies/1.2/series/1.2.3/instances/1.2.3.9/frames/1',
    ]);
  });
});

describe('the text over an image', () => {
  it('comes from the image itself', () => {
    expect(overlayOf(metadata[1] as DicomDataset)).toEqual({
      patient: ['TEST-MOREAU CAMILLE', 'IPP-0001 · F', 'née le 12/03/1959', 'examen du 22/11/2026 02:15'],
      series: ['CT · Crâne parenchyme 0,6 mm', 'CH-EXEMPLE IMAGERIE'],
      geometry: ['épaisseur 0,6 mm', 'position 5 mm'],
    });
    expect(overlayOf({}).patient).toEqual(['Patient non renseigné dans l’image']);
  });

  it("warns when the image is not this patient's, and not for accents, hyphens or a missing date", () => {
    const image = metadata[0] as DicomDataset;
    expect(identityDifferences({ families: ['Test Moreau'], birthDate: '1959-03-12' }, image)).toEqual([]);
    expect(identityDifferences({ families: ['TEST-DURAND', 'TEST-MOREAU'], birthDate: '1959' }, image)).toEqual([]);
    expect(identityDifferences({ families: ['TEST-DURAND'], birthDate: '1947-08-01' }, image)).toEqual([
      'nom',
      'date de naissance',
    ]);
    expect(identityDifferences({ families: ['TEST-DURAND'], birthDate: '1947-08-01' }, {})).toEqual([]);
  });
});

describe('the grey window', () => {
  it('is the one DICOM means, both ways', () => {
    expect(rangeOf({ width: 80, center: 40 })).toEqual({ lower: 0, upper: 79 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: -2000, max: 3000 }), (width, center) => {
        expect(windowingOf(rangeOf({ width, center }))).toEqual({ width, center });
      }),
    );
  });

  it('never closes, however far the drag', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (dx, dy) => {
        expect(dragged({ width: 80, center: 40 }, dx, dy).width).toBeGreaterThanOrEqual(2);
      }),
    );
    expect(dragged({ width: 250, center: 40 }, 10, -5)).toEqual({ width: 260, center: 35 });
  });
});
