import { describe, expect, it } from 'vitest';
import { emptyImage, type MetadataImage } from '../../../proto/metadata/image.ts';
import { RecentImages } from '../../../proto/metadata/recent-images.ts';
import { revision } from '../../../proto/model/offset.ts';

function image(at: number): MetadataImage {
  return { ...emptyImage, revision: revision(at) };
}

describe('recent images', () => {
  it('are found by the revision of exactly that image', () => {
    const recent = new RecentImages();
    const images = [3, 4, 9].map(image);
    for (const one of images) recent.add(one, 100);
    expect([3, 4, 9].map((at) => recent.at(revision(at)))).toEqual(images);
    expect([0, 2, 5, 10].map((at) => recent.at(revision(at)))).toEqual(Array(4).fill(undefined));
  });

  it('keep within their bytes, the latest always, and the rest goes oldest first', () => {
    const recent = new RecentImages(1_000_000);
    for (let at = 1; at <= 1_000; at++) recent.add(image(at), 900);
    const kept = Array.from({ length: 1_000 }, (_, i) => i + 1).filter(
      (at) => recent.at(revision(at)) !== undefined,
    );
    expect(kept.length).toBeGreaterThan(100);
    expect(kept.length).toBeLessThan(250);
    expect(kept.at(-1)).toBe(1_000);
    expect(kept[0]).toBe(1_001 - kept.length);
    recent.add(image(1_001), 2_000_000);
    expect(recent.at(revision(1_000))).toBeUndefined();
    expect(recent.at(revision(1_001))).toBeDefined();
  });

  it('forget what a snapshot took the place of', () => {
    const recent = new RecentImages();
    for (const at of [3, 4]) recent.add(image(at), 100);
    recent.restart(image(20));
    expect(recent.at(revision(4))).toBeUndefined();
    expect(recent.at(revision(20))).toBeDefined();
  });
});
