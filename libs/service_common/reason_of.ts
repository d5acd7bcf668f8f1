/** The message of whatever was thrown, for logs and answers. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
