/** PS3.18 §8.3.5.1.3 (viewport): an image made to fit, never enlarged. */
import type { Raster } from './png.ts';

/** The image at most `viewport` large, each pixel the mean of those it stands for. */
export function scaled(image: Raster, viewport: { width: number; height: number } | undefined): Raster {
  if (!viewport) return image;
  const factor = Math.min(1, viewport.width / image.width, viewport.height / image.height);
  if (factor === 1) return image;
  const width = Math.max(1, Math.round(image.width * factor));
  const height = Math.max(1, Math.round(image.height * factor));
  const { channels } = image;
  const data = Buffer.alloc(width * height * channels);
  for (let row = 0; row < height; row++) {
    const top = Math.floor((row * image.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * image.height) / height));
    for (let column = 0; column < width; column++) {
      const left = Math.floor((column * image.width) / width);
      const right = Math.max(left + 1, Math.floor(((column + 1) * image.width) / width));
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) sum += image.data[(y * image.width + x) * channels + channel] ?? 0;
        }
        data[(row * width + column) * channels + channel] = Math.round(sum / ((bottom - top) * (right - left)));
      }
    }
  }
  return { width, height, channels, data };
}
