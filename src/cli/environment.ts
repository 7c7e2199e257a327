/** Environment variables as a command receives them. */
export type Environment = Record<string, string | undefined>;
