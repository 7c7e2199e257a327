import type { Communication, Questionnaire, Task } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import questionnaire from '../../fhir-profiles/questionnaires/Questionnaire-serious-announcement.json' with {
  type: 'json',
};
import { problemsOf } from '../../src/teleradiology/critical/announcement.ts';
import { caseAlerts } from '../../src/ui/case/alerts.ts';
import { answersOf, groupsOf, responseOf } from '../../src/ui/case/announcement.ts';
import { chatLines, mayWrite, messageOf } from '../../src/ui/case/chat.ts';
import { readPicked, refusalOf } from '../../src/ui/case/chat-files.ts';
import { criticalResults } from '../../src/ui/case/critical.ts';

const P = 'https://fhir.passerelle.example/';
const task = { resourceType: 'Task', id: 'cas-1' } as Task;
const me = { reference: 'Practitioner/radiologue', roles: ['radiologist'] };

function said(id: string, code: string, more: Partial<Communication> = {}): Communication {
  return {
    resourceType: 'Communication',
    id,
    status: 'completed',
    category: [{ coding: [{ system: `${P}CodeSystem/communication-category`, code }] }],
    about: [{ reference: 'Task/cas-1' }],
    sender: { reference: 'Practitioner/manipulateur', display: 'MERM TEST' },
    sent: `2026-11-22T02:0${id.length}:00Z`,
    payload: [{ contentString: `texte ${id}` }],
    ...more,
  };
}
const readBy = (reference: string, display: string) => ({
  url: `${P}StructureDefinition/read-by`,
  extension: [
    { url: 'reader', valueReference: { reference, display } },
    { url: 'at', valueDateTime: '2026-11-22T02:10:00Z' },
  ],
});

describe('the talk about a case', () => {
  it('is what people said about this case, oldest first, with who has read it and what I have not', () => {
    const lines = chatLines(
      task,
      [
        said('ccc', 'answer', { inResponseTo: [{ reference: 'Communication/a' }], sender: me }),
        said('bb', 'message', {
          extension: [readBy('Practitioner/manipulateur', 'MERM TEST'), readBy('Practitioner/demandeur', 'Dr ALIX')],
        }),
        said('a', 'question', { extension: [readBy(me.reference, 'moi')] }),
        said('dddd', 'phone-exchange'),
        said('eeeee', 'deadline'),
        said('x', 'message', { about: [{ reference: 'Task/autre' }] }),
      ],
      me,
    );
    expect(lines.map(({ id, label, isUnread, isMine }) => [id, label, isUnread, isMine])).toEqual([
      ['a', 'Question', false, false],
      ['bb', undefined, true, false],
      ['ccc', 'Réponse', true, true],
      ['dddd', 'Téléphone', false, false],
    ]);
    expect(lines[1]?.readers).toEqual(['Dr ALIX']);
    expect(lines[2]?.answers).toBe('texte a');
    expect(lines.map(({ isQuestion }) => isQuestion)).toEqual([true, false, false, false]);
  });

  it('has files by their place in the message', () => {
    const [line] = chatLines(
      task,
      [
        said('a', 'message', {
          payload: [
            { contentString: 'Voir' },
            { contentAttachment: { title: 'a.pdf', contentType: 'application/pdf', url: 'Binary/1' } },
          ],
        }),
      ],
      me,
    );
    expect(line).toMatchObject({
      texts: ['Voir'],
      files: [{ part: 1, title: 'a.pdf', contentType: 'application/pdf' }],
    });
  });

  it('is no alarm; a critical result is one until it was said back, and then asks nothing any more', () => {
    const alerts = caseAlerts(
      task,
      [
        said('a', 'message'),
        said('bb', 'phone-exchange'),
        said('ccc', 'critical-result', { status: 'in-progress' }),
        said('dddd', 'critical-result', { status: 'completed' }),
        said('eeeee', 'deadline'),
      ],
      [],
      [],
    );
    expect(alerts.map(({ text, tone }) => [text, tone])).toEqual([
      ['texte ccc', 'severe'],
      ['texte eeeee', 'warning'],
    ]);
  });

  it('goes out as a message of the case, under a number of its own, and says nothing the server says', () => {
    const file = { title: 'a.pdf', contentType: 'application/pdf', data: 'JVBERi0=' };
    expect(messageOf(task, { text: ' Bonjour ', files: [file], answers: 'a', key: 'k1' })).toEqual({
      resourceType: 'Communication',
      identifier: [{ system: `${P}sid/message`, value: 'k1' }],
      status: 'completed',
      category: [{ coding: [{ system: `${P}CodeSystem/communication-category`, code: 'message' }] }],
      about: [{ reference: 'Task/cas-1' }],
      inResponseTo: [{ reference: 'Communication/a' }],
      payload: [{ contentString: 'Bonjour' }, { contentAttachment: file }],
    });
    expect(mayWrite({ roles: ['quality'] })).toBe(false);
    expect(mayWrite({ roles: ['quality', 'technologist'] })).toBe(true);
  });

  it('takes PDF, JPEG and PNG files up to ten megabytes, whole', async () => {
    expect(refusalOf({ name: 'a.svg', type: 'image/svg+xml', size: 1 })).toContain('a.svg');
    expect(refusalOf({ name: 'a.pdf', type: 'application/pdf', size: 10 * 1024 * 1024 + 1 })).toContain('10 Mo');
    expect(refusalOf({ name: 'a.pdf', type: 'application/pdf', size: 10 })).toBeUndefined();
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 256));
    const picked = await readPicked(new File([bytes], 'a.pdf', { type: 'application/pdf' }));
    expect(Buffer.from(picked.data, 'base64').equals(bytes)).toBe(true);
  });
});

it('a critical result is read from its child Task, the latest first', () => {
  const item = (code: string) => ({ coding: [{ system: `${P}CodeSystem/case-item`, code }] });
  const alert = (id: string, more: Partial<Task>): Task => ({
    resourceType: 'Task',
    id,
    status: 'in-progress',
    intent: 'order',
    code: { coding: [{ system: `${P}CodeSystem/task-code`, code: 'alert' }] },
    input: [
      { type: item('finding'), valueString: `résultat ${id}` },
      { type: item('critical-category'), valueCodeableConcept: { coding: [{ code: 'hours' }] } },
    ],
    output: [{ type: item('told'), valueReference: { reference: 'Communication/1' } }],
    restriction: { period: { end: '2026-11-22T03:00:00Z' } },
    ...more,
  });
  const results = criticalResults([
    alert('1', {
      authoredOn: '2026-11-22T01:00:00Z',
      status: 'completed',
      executionPeriod: { end: '2026-11-22T01:10:00Z' },
    }),
    alert('2', { authoredOn: '2026-11-22T02:00:00Z' }),
    { ...alert('3', {}), code: { coding: [{ code: 'deliver' }] } },
  ]);
  expect(results).toMatchObject([
    { id: '2', finding: 'résultat 2', category: 'hours', isOpen: true, rounds: 1, nextAt: '2026-11-22T03:00:00Z' },
    { id: '1', isOpen: false, acknowledgedAt: '2026-11-22T01:10:00Z', nextAt: undefined },
  ]);
});

describe('the checklist of a serious diagnosis', () => {
  const list = questionnaire as Questionnaire;
  const groups = groupsOf(list);
  const all = Object.fromEntries(
    groups.flatMap(({ questions }) =>
      questions.map(({ linkId, type }) => [linkId, type === 'boolean' ? (true as const) : '2026-11-22T02:30:00.000Z']),
    ),
  );

  it('asks every question of the Questionnaire, and says which are owed', () => {
    expect(groups.map(({ title, questions }) => [title, questions.length])).toEqual([
      ['Avec le médecin demandeur', 3],
      ['L’entretien', 4],
      ['La suite', 4],
      ['', 1],
    ]);
    expect(groups.flatMap(({ questions }) => questions).filter(({ isOwed }) => isOwed)).toHaveLength(5);
  });

  it('is stored so that the server takes it, and read back as it was typed', () => {
    const response = responseOf(task, groups, all, undefined, true);
    expect(problemsOf(list, response)).toEqual([]);
    expect(answersOf(response)).toEqual(all);
    const empty = responseOf(task, groups, { announcer: '  ', 'held-at': 'demain' }, undefined, false);
    expect(empty.item).toBeUndefined();
    expect(problemsOf(list, { ...empty, status: 'completed' })).toHaveLength(5);
  });
});
