/**
 * `node:http` without its fetch. An `import` of it reads every export to copy it, `WebSocket` among them, and that loads Node's whole
 * fetch: 12 MB resident of a server that never calls it.
 */
export const http = process.getBuiltinModule('node:http');
