import type { Bundle, Communication, ImagingStudy } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { found } from '../../src/ui/fhir/bundle.ts';
import { messageQuery, messagesOf, namedStudies } from '../../src/ui/identity/messages.ts';

const system = 'https://fhir.passerelle.example/CodeSystem/communication-category';
const now = new Date('2026-11-22T02:30:00Z');
const told = (id: string, code: string, about: string): Communication => ({
  resourceType: 'Communication',
  id,
  status: 'completed',
  category: [{ coding: [{ system, code }] }],
  about: [{ reference: about }],
  sent: '2026-11-22T02:12:00Z',
  payload: [{ contentString: `texte ${id}` }],
});
const study = (id: string, more: Partial<ImagingStudy> = {}): ImagingStudy => ({
  resourceType: 'ImagingStudy',
  id,
  status: 'available',
  subject: { display: 'Patient non rattaché' },
  modality: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT' }],
  numberOfInstances: 40,
  ...more,
});
const bundle = (...resources: ImagingStudy[]): Bundle => ({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: resources.map((resource) => ({ resource })),
});

describe('messages that wait for a coordinator', () => {
  it('tell images without any request, with their age and what is known of them', () => {
    expect(
      messagesOf([told('a', 'unattached-images', 'ImagingStudy/seule')], found(bundle(study('seule'))), now),
    ).toEqual([
      {
        key: 'a',
        kind: 'Images sans demande',
        text: 'texte a',
        sent: '2026-11-22T02:12:00Z',
        age: '18 min',
        caseId: undefined,
        images: 'Scanner · 40 images',
      },
    ]);
  });

  it('stay while the study cannot be read, and go once it has its request', () => {
    const messages = [told('a', 'unattached-images', 'ImagingStudy/seule')];
    expect(messagesOf(messages, found(undefined), now)).toHaveLength(1);
    const attached = study('seule', { basedOn: [{ reference: 'ServiceRequest/1' }] });
    expect(messagesOf(messages, found(bundle(attached)), now)).toEqual([]);
  });

  it('lead to the case of late images and of deliveries that failed; other messages are told elsewhere', () => {
    const messages = [
      told('a', 'late-images', 'Task/1'),
      told('b', 'delivery-failed', 'Task/2'),
      told('c', 'phone-exchange', 'Task/3'),
      told('d', 'deadline', 'Task/4'),
    ];
    expect(messagesOf(messages, found(undefined), now).map(({ kind, caseId }) => [kind, caseId])).toEqual([
      ['Images après signature', '1'],
      ['Envoi refusé par le site', '2'],
    ]);
    expect(namedStudies([told('a', 'unattached-images', 'ImagingStudy/seule')])).toEqual(['seule']);
    expect(messageQuery).toContain('%7Cunattached-images');
  });
});
