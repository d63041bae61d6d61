// The npm compiler behind the two options that forge and py-solc-x use of a native solc.
"use strict";
const fs = require("node:fs");
const solc = require("solc");

/** Write all of `text`: process.stdout is cut at the pipe's 64 KiB when the process exits. */
function write(text) {
  const bytes = Buffer.from(text, "utf8");
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += fs.writeSync(1, bytes, sent);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

const args = process.argv.slice(2);
if (args.includes("--version")) {
  const version = solc.version().replace(".Emscripten.clang", ".Linux.g++");
  write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (args.includes("--standard-json")) {
  write(solc.compile(fs.readFileSync(0, "utf8")));
} else {
  process.stderr.write(`solc: only --version and --standard-json, not ${args.join(" ")}\n`);
  process.exitCode = 2;
}
