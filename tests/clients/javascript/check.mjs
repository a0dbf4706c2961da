// Counts the checks of one client and says how they went.

import assert from "node:assert/strict";

export class Checks {
  constructor(client, version) {
    this.name = `${client} ${version}`;
    this.passed = 0;
    this.failed = 0;
  }

  // One check: `found` is `expected`.
  same(label, found, expected) {
    try {
      assert.deepEqual(found, expected);
      this.passed += 1;
      console.log(`ok      ${label}`);
    } catch {
      this.failed += 1;
      console.log(`FAILED  ${label}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
    }
  }

  // What `call` throws.
  async error(label, call) {
    try {
      await call();
    } catch (error) {
      return error;
    }
    this.same(label, "no error", "an error");
    return new Error();
  }

  // Runs all parts, also after one has failed; sets the exit code.
  async run(...parts) {
    for (const part of parts) {
      try {
        await part();
      } catch (error) {
        this.failed += 1;
        console.log(`FAILED  ${part.name}: ${error.stack}`);
      }
    }
    if (this.failed > 0) {
      console.log(`${this.name}: ${this.failed} checks failed, ${this.passed} passed`);
      process.exitCode = 1;
    } else {
      console.log(`${this.name}: ${this.passed} checks passed`);
    }
  }
}
