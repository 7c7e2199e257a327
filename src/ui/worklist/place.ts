/** Why a case stands where it stands, as `Task/$worklist` says it (docs/worklist.md). */
import type { BundleEntry, Extension } from '@medplum/fhirtypes';
import { extensions } from '../fhir/systems.ts';

export interface WorklistPlace {
  urgent: boolean;
  /** Code of CodeSystem worklist-stage. */
  stage: string;
  /** The virtual due time: the list is in its order. */
  at: Date;
  /** Literal reference of who reads the case or is to read it. */
  holder: string | undefined;
  terms: { code: string; minutes: number; text: string }[];
  /** The whole reason in French. */
  why: string;
}

/** Undefined for an entry of a plain search. */
export function placeOf(entry: Pick<BundleEntry, 'search'>): WorklistPlace | undefined {
  const parts = entry.search?.extension?.find(({ url }) => url === extensions.worklistPlace)?.extension;
  if (parts === undefined) return undefined;
  const value = (url: string, of: readonly Extension[] = parts) => of.find((part) => part.url === url);
  return {
    urgent: value('class')?.valueCode === 'urgent',
    stage: value('stage')?.valueCode ?? '',
    at: new Date(value('place')?.valueInstant ?? ''),
    holder: value('holder')?.valueReference?.reference,
    terms: parts
      .filter(({ url }) => url === 'term')
      .map(({ extension = [] }) => ({
        code: value('code', extension)?.valueCode ?? '',
        minutes: value('minutes', extension)?.valueInteger ?? 0,
        text: value('text', extension)?.valueString ?? '',
      })),
    why: value('why')?.valueString ?? '',
  };
}

/** `▲ 45 min`: by how much what is known of the case and of the reader moved it; undefined when nothing did. */
export function shiftText({ terms }: WorklistPlace): string | undefined {
  const minutes = terms.reduce((sum, term) => sum + term.minutes, 0);
  if (terms.length === 0) return undefined;
  return minutes === 0 ? '= 0 min' : `${minutes > 0 ? '▲' : '▼'} ${minutesText(Math.abs(minutes))}`;
}

/** `45 min`, `8 h`, `1 h 05`. @param minutes not negative. */
export function minutesText(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${String(rest).padStart(2, '0')}`}`;
}
