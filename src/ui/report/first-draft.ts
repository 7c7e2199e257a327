/** What a feed brought is never typed again (UI-3): the first draft starts from the request and from the protocol. */
import type { ServiceRequest } from '@medplum/fhirtypes';
import type { CaseFacts } from '../case/case-facts.ts';
import type { Exam } from '../case/exam.ts';
import { justificationOf, purposeOf } from '../case/request-facts.ts';
import { type Draft, emptyDraft, isCcam } from './chapters.ts';

export function firstDraft(request: ServiceRequest | undefined, facts: CaseFacts, exam: Exam): Draft {
  const draft = emptyDraft();
  draft.text.indication = [justificationOf(request), purposeOf(request)].filter((part) => part).join('\n');
  draft.text.technique = facts.protocols.join('\n');
  const asked = request?.code?.coding?.find((one) => isCcam(one.code ?? ''));
  if (asked?.code) draft.ccam = { code: asked.code, display: asked.display ?? exam.act ?? '' };
  return draft;
}
