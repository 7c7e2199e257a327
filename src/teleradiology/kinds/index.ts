/** Kinds of remote acts (WF-13), and what an act owes beside its report (WF-8). */
export { type ActRules, type Owed, owedBy, owings, readActRules } from './act-rules.ts';
export { type KindDefinition, kindDefinition, kinds, ordinary } from './kind.ts';
export { kindAsked, kindElements, kindOf } from './kind-of.ts';
