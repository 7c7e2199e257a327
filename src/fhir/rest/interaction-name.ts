import type { Address, Interaction } from './call.ts';

/** Name of an interaction in the context, hence in the audit trail: `read`, `operation:Task/$sign`. */
export function interactionName(interaction: Interaction, { type, operation }: Address): string {
  if (operation === undefined) return interaction.code;
  return `operation:${type ? `${type}/` : ''}$${operation}`;
}
