/** The browser's WebSocket as a feed uses it (topic-feed.ts). */
import type { Line, LineEvents } from './topic-feed.ts';

export function openSocket(path: string, events: LineEvents): Line {
  const socket = new WebSocket(`${window.location.origin.replace(/^http/, 'ws')}${path}`);
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }) => events.message(data);
  socket.onclose = () => events.closed();
  return { send: (text) => socket.send(text), close: () => socket.close() };
}
