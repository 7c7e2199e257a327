/** What the platform tells the coordinators about images and deliveries (docs/fhir-conventions.md, "Alerts"): each waits for somebody. */
import type { Communication } from '@medplum/fhirtypes';
import { type Found, literalReference, referencedId } from '../fhir/bundle.ts';
import { systems } from '../fhir/systems.ts';
import { durationText } from '../time/countdown.ts';
import { modalityName } from '../words/labels.ts';

export interface Message {
  key: string;
  /** Short name of what happened. */
  kind: string;
  text: string;
  sent: string | undefined;
  /** `12 min`; undefined when nobody knows since when. */
  age: string | undefined;
  caseId: string | undefined;
  /** What is known of images that have no case: modality, description, number. */
  images: string | undefined;
}

const kinds: Readonly<Record<string, string>> = {
  'unattached-images': 'Images sans demande',
  'late-images': 'Images après signature',
  'delivery-failed': 'Envoi refusé par le site',
  'request-changed': 'Demande modifiée',
};

/** Search over Communication, newest first. */
export const messageQuery = `category=${Object.keys(kinds)
  .map((code) => encodeURIComponent(`${systems.communicationCategory}|${code}`))
  .join(',')}&_sort=-sent&_count=100`;

/** Ids of the studies messages name, to be read for their description. */
export function namedStudies(messages: readonly Communication[]): string[] {
  return [
    ...new Set(
      messages.flatMap((one) => (one.about ?? []).flatMap((about) => referencedId('ImagingStudy', about) ?? [])),
    ),
  ];
}

/** Newest first. Images that found their request meanwhile are no longer news: nobody has to look for it. */
export function messagesOf(messages: readonly Communication[], studies: Found, now: Date): Message[] {
  return messages.flatMap((one): Message[] => {
    const code = one.category?.[0]?.coding?.find(({ system }) => system === systems.communicationCategory)?.code ?? '';
    const kind = kinds[code];
    if (kind === undefined) return [];
    const about = one.about ?? [];
    const study = about.map((reference) => studies.at('ImagingStudy', reference)).find((found) => found !== undefined);
    const attached = study?.basedOn?.some((reference) => literalReference(reference) !== undefined) === true;
    if (code === 'unattached-images' && attached) return [];
    const sentAt = Date.parse(one.sent ?? '');
    const modality = study?.modality?.map((each) => modalityName(each.code)).join(', ');
    const count = study?.numberOfInstances === undefined ? undefined : `${study.numberOfInstances} images`;
    return [
      {
        key: one.id ?? '',
        kind,
        text: one.payload?.[0]?.contentString ?? kind,
        sent: one.sent,
        age: Number.isNaN(sentAt) ? undefined : durationText(Math.max(0, now.getTime() - sentAt)),
        caseId: about.map((reference) => referencedId('Task', reference)).find((id) => id !== undefined),
        images: [modality, study?.description, count].filter((part) => part).join(' · ') || undefined,
      },
    ];
  });
}
