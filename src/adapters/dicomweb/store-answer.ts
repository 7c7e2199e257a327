/** PS3.18 §10.5.3 and Annex I: what became of each instance, as a status and a Store Instances Response. */
import type { StoredInstance } from '../../imaging/index.ts';
import { instanceUrl } from './addresses.ts';

type Item = Record<string, { vr: string; Value: unknown[] }>;

/** "Data Set does not match": stored, but apart from what it says it belongs to. */
const warningSetApart = 0xb007;

/** 200 all stored, 202 some (or stored apart), 409 none; empty sequences are left out, some clients stumble over them. */
export function storeAnswer(
  stored: readonly StoredInstance[],
  serviceUrl: string,
): { status: 200 | 202 | 409; body: Item } {
  const referenced: Item[] = [];
  const failed: Item[] = [];
  const unidentified: Item[] = [];
  const studies = new Set<string>();
  let warned = false;
  for (const instance of stored) {
    if (instance.status === 'failed') {
      const named = instance.sopUid !== undefined;
      (named ? failed : unidentified).push({
        ...(instance.sopClassUid && named ? { '00081150': { vr: 'UI', Value: [instance.sopClassUid] } } : {}),
        ...(named ? { '00081155': { vr: 'UI', Value: [instance.sopUid] } } : {}),
        '00081197': { vr: 'US', Value: [instance.failureReason] },
        '00741048': comments(instance.comment),
      });
      continue;
    }
    studies.add(instance.studyUid);
    warned ||= instance.setApart !== undefined;
    referenced.push({
      '00081150': { vr: 'UI', Value: [instance.sopClassUid] },
      '00081155': { vr: 'UI', Value: [instance.sopUid] },
      '00081190': { vr: 'UR', Value: [instanceUrl(serviceUrl, instance)] },
      ...(instance.setApart
        ? {
            '00081196': { vr: 'US', Value: [warningSetApart] },
            '00741048': comments(`Stored apart: ${instance.setApart}.`),
          }
        : {}),
    });
  }
  const [onlyStudy] = studies.size === 1 ? studies : [];
  return {
    status: referenced.length === 0 ? 409 : failed.length + unidentified.length > 0 || warned ? 202 : 200,
    body: {
      ...(onlyStudy ? { '00081190': { vr: 'UR', Value: [`${serviceUrl}/studies/${onlyStudy}`] } } : {}),
      ...sequence('00081198', failed),
      ...sequence('00081199', referenced),
      ...sequence('0008119A', unidentified),
    },
  };
}

function sequence(tag: string, items: Item[]): Item {
  return items.length > 0 ? { [tag]: { vr: 'SQ', Value: items } } : {};
}

/** Failed Attributes Sequence with one Error Comment, where widespread servers put it too. */
function comments(text: string): { vr: string; Value: Item[] } {
  return { vr: 'SQ', Value: [{ '00000902': { vr: 'LO', Value: [text] } }] };
}
