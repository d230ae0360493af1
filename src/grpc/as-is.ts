/**
 * Serializer and deserializer of messages that are bytes already: what goes around frames is written and read by hand
 * (protocol/frame-message.ts), so that no proto object is made per frame.
 */
export const asIs = (bytes: Buffer): Buffer => bytes
