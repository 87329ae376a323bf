// The README's examples run, one after the other, against the gate.
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import ts from "typescript";
import { createClient } from "../src/index.js";

test("the README's examples print what it says", async () => {
  const root = new URL("../../", import.meta.url);
  const token = process.env["GATE_TOKEN"]!;
  const client = createClient({ endpoint: process.env["GATE"]!, token });
  await client.batch(["DELETE FROM item", "INSERT INTO item(id, name, price) VALUES(1, 'pen', 1.5), (2, 'ink', 3)"]);
  const text = await readFile(new URL("README.md", root), "utf8");
  const blocks = [...text.matchAll(/```ts\n([^]*?)```/g)].map(m => m[1]!);
  assert.equal(blocks.length, 4);
  let source = blocks.join("\n");
  const said = [...source.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].flatMap(m => m[1]!.split(", then "));
  source = source.replace("https://gate.example.com", process.env["GATE"]!).replaceAll("@vitessdo/client", "./build/src/index.js");
  const imports = source.match(/^import .*$/gm)!.join("\n").replace(/import \{ VitessdoError \}.*/, "").replace("{ createClient }", "{ createClient, VitessdoError }");
  source = `${imports}\nconst token = ${JSON.stringify(token)};\nconst printed: unknown[][] = [];\n{ const console = { log: (...a: unknown[]) => printed.push(a) };\n`
    + `${source.replace(/^import .*$/gm, "")}\n}\nexport { printed };\n`;
  const { outputText, diagnostics } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }, reportDiagnostics: true });
  assert.deepEqual(diagnostics, []);
  const file = new URL("readme.mjs", root);
  await writeFile(file, outputText);
  try {
    const { printed } = (await import(file.href)) as { printed: unknown[][] };
    assert.deepEqual(printed.map(a => a.join(" ")), said);
  } finally {
    await rm(file);
  }
  client.close();
});
