/** Words no French sentence holds, nor any name of a command or option. */
const english =
  /\b(?:the|is|are|was|were|be|not|unknown|there|which|expected|cannot|missing|wrong|must|has|have|holds|with|of|from|and|already|give|needs?|could|failed|files|folder|tenant)\b(?! ?[=|<>])/i;

/** The first English word of what an operator is told; what was typed is not ours. */
export function englishIn(said: string, typed: readonly string[] = []): string | undefined {
  const quoted = typed.filter((word) => word.length > 3);
  const ours = quoted.reduce((text, word) => text.replaceAll(word, ''), said).replaceAll(/--[a-z-]+/g, '');
  return english.exec(ours)?.[0];
}
