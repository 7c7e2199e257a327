/**
 * Whether somebody has heard a critical result (workflow §7): they say it back, in their words or by confirming the sentence as it stands. "Vu"
 * says that a message was opened, not that it was understood.
 */

/** Shorter words carry grammar, not findings. */
const shortestWord = 4;
/** Words of the finding that a restatement must have, or all of them when it has fewer. */
const sharedWords = 2;

function plain(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

function wordsOf(text: string): Set<string> {
  return new Set(
    plain(text)
      .split(' ')
      .filter((word) => word.length >= shortestWord),
  );
}

/** @param findings as they were declared, each of which must be heard. @param said what the person gives back. */
export function areReadBack(findings: readonly string[], said: string): boolean {
  return plain(said) === plain(findings.join(' ')) || findings.every((finding) => isReadBack(finding, said));
}

/** @param finding as it was declared. */
export function isReadBack(finding: string, said: string): boolean {
  if (plain(said) === '') return false;
  if (plain(said) === plain(finding)) return true;
  const declared = wordsOf(finding);
  const shared = [...wordsOf(said)].filter((word) => declared.has(word)).length;
  return declared.size > 0 && shared >= Math.min(sharedWords, declared.size);
}
