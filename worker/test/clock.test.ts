import { expect, test } from "vitest";

test("it moves on whenever it is asked, also while a Worker's own stands still", async () => {
  performance.now = () => 1796039074836;
  await import("../src/clock");
  let before = performance.now();
  for (let i = 0; i < 10_000; i++) {
    const now = performance.now();
    expect(now).toBeGreaterThan(before);
    before = now;
  }
});
