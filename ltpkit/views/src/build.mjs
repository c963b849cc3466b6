// Bundles each view's script into ../static, and writes from which sources, so that a test can tell.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const views = readdirSync(".").filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));

await build({
  entryPoints: views,
  outdir: "../static",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "inline",
  loader: { ".css": "text" },
  logLevel: "info",
});

const sources = readdirSync(".", { recursive: true, withFileTypes: true })
  .filter((one) => one.isFile() && /\.(ts|css)$/.test(one.name) && !one.parentPath.includes("node_modules"))
  .map((one) => `${one.parentPath}/${one.name}`.replace(/^\.\//, ""))
  .sort();
const hash = createHash("sha256");
for (const source of sources) hash.update(source).update("\0").update(readFileSync(source)).update("\0");
writeFileSync("../static/sources.sha256", `${hash.digest("hex")}\n`);
