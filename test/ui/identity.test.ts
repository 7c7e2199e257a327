import type { DetectedIssue, Task } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { issueKinds } from '../../src/teleradiology/identity/issue-kinds.ts';
import { attachTo } from '../../src/ui/case/attach-to-case.ts';
import type { FhirClient } from '../../src/ui/fhir/client.ts';
import { decidedIssue, decisionsFor, decisionText } from '../../src/ui/identity/decisions.ts';
import { isOpen, issueTitle } from '../../src/ui/identity/issue-text.ts';
import { sidesOf } from '../../src/ui/identity/sides.ts';
import type { Session } from '../../src/ui/session/session.ts';

const P = 'https://fhir.passerelle.example/';
const issue = (code: string, more: Partial<DetectedIssue> = {}): DetectedIssue => ({
  resourceType: 'DetectedIssue',
  id: '1',
  status: 'preliminary',
  code: { coding: [{ system: `${P}CodeSystem/detected-issue-code`, code }] },
  implicated: [{ reference: 'Task/1' }, { reference: 'ImagingStudy/1' }],
  ...more,
});
const session = (...roles: string[]) => ({ roles }) as Session;

describe('a problem on the identity page', () => {
  it('has a title of its own for every code the server knows', () => {
    for (const code of Object.keys(issueKinds)) expect(issueTitle(issue(code))).not.toBe(code);
  });

  it('offers the decisions that the server takes, to who may decide', () => {
    for (const [code, kind] of Object.entries(issueKinds)) {
      const offered = decisionsFor(issue(code), session('identity-vigilance')).map((choice) => choice.code);
      expect(offered).toEqual(kind.decisions);
      for (const role of ['radiologist', 'coordinator', 'technologist'] as const)
        expect(decisionsFor(issue(code), session(role)).length > 0).toBe(kind.also?.includes(role) ?? false);
      expect(decisionsFor(issue(code), session('requester', 'auditor'))).toEqual([]);
    }
    for (const [code, { withoutImages }] of Object.entries(issueKinds)) {
      if (withoutImages === undefined) continue;
      const unnamed = issue(code, { implicated: [{ reference: 'Task/1' }] });
      expect(decisionsFor(unnamed, session('quality')).map((choice) => choice.code)).toEqual(withoutImages);
    }
    const ofRequest = issue('identity-mismatch', { implicated: [{ reference: 'Task/1' }] });
    expect(decisionsFor(ofRequest, session('quality')).map(({ code }) => code)).toEqual(['identity-confirmed']);
  });

  it('shows both sides trait by trait, and says which differ', () => {
    const compared = issue('identity-mismatch', {
      contained: [
        {
          resourceType: 'Patient',
          id: 'known',
          name: [
            { use: 'official', family: 'TEST-MOREAU', given: ['CAMILLE'] },
            { use: 'usual', family: 'TEST-DUVAL', given: ['CAMILLE'] },
          ],
          birthDate: '1985-04-17',
          gender: 'female',
          identifier: [
            { system: 'urn:oid:1.2.250.1.213.1.4.10', value: '285043306000123' },
            { system: 'urn:oid:2.999.1', value: 'IPP1' },
          ],
        },
        { resourceType: 'Patient', id: 'received', name: [{ family: 'TEST-MOREAU' }], birthDate: '1985-04' },
      ],
      evidence: [{ code: [{ coding: [{ system: `${P}CodeSystem/identity-trait`, code: 'birth-date' }] }] }],
    });
    const sides = sidesOf(compared);
    expect(sides?.headings).toEqual(['Patient du dossier', 'Reçu']);
    expect(sides?.rows.map(({ label, values, differs }) => [label, ...values, differs])).toEqual([
      ['Nom', 'TEST-MOREAU, TEST-DUVAL (utilisé)', 'TEST-MOREAU', false],
      ['Prénoms', 'CAMILLE', '–', false],
      ['Date de naissance', '17/04/1985', '04/1985', true],
      ['Sexe', 'féminin', '–', false],
      ['INS', '2 85 04 33 060 001 23', '–', false],
      ['IPP', 'IPP1', '–', false],
    ]);
    expect(sidesOf(issue('identity-mismatch'))).toBeUndefined();
  });

  it('is decided by the resource itself: which decision, why, and the case that takes the images', () => {
    const decided = decidedIssue(issue('uid-collision'), 'images-reattached', 'Vu avec le service', 'Task/2');
    expect(decided).toMatchObject({
      status: 'final',
      mitigation: [
        {
          action: { coding: [{ code: 'images-reattached' }], text: 'Vu avec le service' },
          extension: [{ url: `${P}StructureDefinition/reattached-to`, valueReference: { reference: 'Task/2' } }],
        },
      ],
    });
    expect(isOpen(decided)).toBe(false);
    expect(decisionText(decided)).toBe('Ces images sont d’un autre dossier : Vu avec le service');
  });
});

describe('a file attached to a case', () => {
  const created: unknown[] = [];
  const client = {
    create: async (resource: object) => {
      created.push(resource);
      return { ...resource, id: `r${created.length}` };
    },
  } as unknown as FhirClient;
  const task: Task = {
    resourceType: 'Task',
    id: '7',
    status: 'ready',
    intent: 'order',
    for: { reference: 'Patient/3' },
  };

  it('is a Binary and the document about it, without the name it had on the workstation', async () => {
    const file = new File([Buffer.from('%PDF-1.7 x')], 'MOREAU Camille.pdf', { type: 'application/pdf' });
    await attachTo(client, task, file, 'consent');
    expect(created).toMatchObject([
      { resourceType: 'Binary', contentType: 'application/pdf', data: Buffer.from('%PDF-1.7 x').toString('base64') },
      {
        resourceType: 'DocumentReference',
        subject: { reference: 'Patient/3' },
        context: { related: [{ reference: 'Task/7' }] },
        type: { coding: [{ code: 'consent' }] },
        content: [{ attachment: { url: 'Binary/r1', title: 'Consentement signé' } }],
      },
    ]);
    expect(JSON.stringify(created)).not.toContain('MOREAU');
  });

  it('that is too large is not sent at all', async () => {
    const file = new File([Buffer.alloc(20 * 1024 * 1024 + 1)], 'x.pdf', { type: 'application/pdf' });
    const before = created.length;
    await expect(attachTo(client, task, file, 'other')).rejects.toThrow('20 Mo');
    expect(created).toHaveLength(before);
  });
});
