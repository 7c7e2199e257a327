/** PS3.8 §9.3.3.2: which presentation contexts are accepted, and in which transfer syntax. Pure. */
import { explicitLittleEndian, implicitLittleEndian, isUid, transferSyntaxOf } from '../../imaging/index.ts';
import type { ProposedContext } from './associate-items.ts';
import { commitmentClass, isStorageClass, verificationClass } from './sop-classes.ts';

export interface ContextAnswer {
  id: number;
  /** 0 accepted, 3 abstract syntax not supported, 4 transfer syntaxes not supported. */
  result: 0 | 3 | 4;
  /** Chosen one; of a refused context it says nothing. */
  transferSyntax: string;
}

/** @param commits whether storage commitment is offered to this sender. */
export function answerContext(
  { id, abstractSyntax, transferSyntaxes }: ProposedContext,
  commits: boolean,
): ContextAnswer {
  if (abstractSyntax === commitmentClass && commits)
    return answered(id, chosenSyntax(transferSyntaxes.filter((uid) => plainSyntaxes.includes(uid))));
  const isKnown = abstractSyntax === verificationClass || isStorageClass(abstractSyntax);
  if (!isKnown) return { id, result: 3, transferSyntax: implicitLittleEndian };
  return answered(id, chosenSyntax(transferSyntaxes.filter(isReadable)));
}

/** Of what is no image. */
const plainSyntaxes: readonly string[] = [implicitLittleEndian, explicitLittleEndian];

function answered(id: number, transferSyntax: string | undefined): ContextAnswer {
  return transferSyntax === undefined
    ? { id, result: 4, transferSyntax: implicitLittleEndian }
    : { id, result: 0, transferSyntax };
}

function isReadable(uid: string): boolean {
  return isUid(uid) && transferSyntaxOf(uid) !== undefined;
}

/**
 * The sender's first: what it puts first is what it has, and nothing is recoded on its way here. Implicit gives way to explicit where
 * both are offered: without its VR a private element is bytes that nobody can read any more.
 */
function chosenSyntax(offered: readonly string[]): string | undefined {
  const [first] = offered;
  return first === implicitLittleEndian && offered.includes(explicitLittleEndian) ? explicitLittleEndian : first;
}
