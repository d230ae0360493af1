/** A statement without what does not make it another one: case, space around it, and how much space is within. */
export const normalizeStatement = (text: string): string => text.trim().toLowerCase().replaceAll(/\s+/g, ' ')
