/**
 * Starting makes much garbage and little that stays: V8 would answer with a young generation of three times 16 MB, which an idle server
 * then keeps (25 MB resident of nothing). So it may not grow before the server is ready, and may afterwards, when load makes it worth it.
 */
import v8 from 'node:v8';

/** Before the modules of a command are loaded. */
export function startSmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}

/** Once the server accepts connections: V8's own default. */
export function allowGrowth(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=2');
}
