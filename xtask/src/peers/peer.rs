//! The peers: how each is made, and how it is started.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::cargo;
use crate::measure::{Setup, TOKENS};
use crate::pace::Mode;
use crate::process::output;
use crate::server::ServerProcess;

/// Another mock server.
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// What it can be asked for.
    pub(super) modes: &'static [Mode],
    /// The program or file that is there once it is prepared.
    proof: &'static str,
    prepare: fn(&Setup) -> Result<()>,
    command: fn(&Setup, SocketAddr, u32) -> Command,
}

/// The table.
pub(super) const PEERS: &[Peer] = &[
    Peer {
        name: "aimock",
        modes: &[Mode::Coalesced, Mode::Paced],
        proof: "aimock/node_modules/@copilotkit/aimock/dist/cli.cjs",
        prepare: prepare_aimock,
        command: aimock,
    },
    Peer {
        name: "uvicorn",
        modes: &[Mode::Coalesced, Mode::Paced],
        proof: "venv/bin/uvicorn",
        prepare: prepare_uvicorn,
        command: uvicorn,
    },
    Peer {
        name: "wiremock",
        modes: &[Mode::Coalesced],
        proof: "wiremock/release/peer-wiremock",
        prepare: prepare_wiremock,
        command: wiremock,
    },
];

impl Peer {
    /// Whether it has been prepared.
    pub(super) fn ready(&self, setup: &Setup) -> Result<()> {
        ensure!(setup.folder.join(self.proof).exists(), "`cargo xtask peers prepare` has not made it");
        Ok(())
    }

    /// Installs or builds it.
    pub(super) fn prepare(&self, setup: &Setup) -> Result<()> {
        (self.prepare)(setup)?;
        self.ready(setup)
    }

    /// Starts it on a port that is free now.
    pub(super) fn start(&self, setup: &Setup, gap_us: u32) -> Result<ServerProcess> {
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
        let addr = probe.local_addr()?;
        drop(probe);
        let command = (self.command)(setup, addr, gap_us);
        let words: Vec<&OsStr> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
        let mut pinned = setup.on_server_core(&words);
        pinned.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            pinned.current_dir(folder);
        }
        ServerProcess::start_silent(addr, &mut pinned)
    }
}

fn sources() -> PathBuf {
    cargo::root().join("tools/peers")
}

fn prepare_aimock(setup: &Setup) -> Result<()> {
    let folder = setup.folder.join("aimock");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), r#"{"name":"peer-aimock","version":"0.0.0","private":true}"#)?;
    // It cuts a text into pieces of equal length; the last line is its own.
    let pieces: Vec<String> = (1..TOKENS).map(|k| format!(" tok{k:04}")).collect();
    let text = pieces.concat();
    let answer = serde_json::json!({"match": {"userMessage": "hi"}, "response": {"content": text}});
    let fixture = serde_json::json!({"fixtures": [answer]});
    std::fs::write(folder.join("fixture.json"), fixture.to_string())?;
    output(Command::new("npm").args(["install", "--silent", "--no-fund", "@copilotkit/aimock@1"]).current_dir(folder))?;
    Ok(())
}

fn aimock(setup: &Setup, addr: SocketAddr, gap_us: u32) -> Command {
    let folder = setup.folder.join("aimock");
    let (port, pause_ms) = (addr.port().to_string(), (gap_us / 1000).to_string());
    let mut command = Command::new("node");
    command.arg(folder.join("node_modules/@copilotkit/aimock/dist/cli.cjs")).arg("-f").arg(folder.join("fixture.json"));
    command.args(["-p", &port, "-l", &pause_ms, "-c", "8", "--log-level", "silent", "--journal-max", "1"]);
    command
}

fn prepare_uvicorn(setup: &Setup) -> Result<()> {
    let venv = setup.folder.join("venv");
    if !venv.exists() {
        output(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    output(Command::new(venv.join("bin/pip")).args(["install", "--quiet", "fastapi", "uvicorn[standard]"]))?;
    Ok(())
}

fn uvicorn(setup: &Setup, addr: SocketAddr, gap_us: u32) -> Command {
    let mut command = Command::new(setup.folder.join("venv/bin/python"));
    command.args(["-B", "-m", "uvicorn", "fastapi_app:app", "--host", "127.0.0.1", "--port", &addr.port().to_string()]);
    command.args(["--log-level", "warning", "--no-access-log", "--backlog", "4096"]);
    command.env("ANSWER", &setup.body).env("GAP_US", gap_us.to_string()).current_dir(sources());
    command
}

fn prepare_wiremock(setup: &Setup) -> Result<()> {
    let manifest = sources().join("wiremock/Cargo.toml");
    let mut build = cargo::command(&["build", "--release", "--quiet", "--locked", "--manifest-path"]);
    output(build.arg(manifest).env("CARGO_TARGET_DIR", setup.folder.join("wiremock")))?;
    Ok(())
}

fn wiremock(setup: &Setup, addr: SocketAddr, _gap_us: u32) -> Command {
    let mut command = Command::new(setup.folder.join("wiremock/release/peer-wiremock"));
    command.arg(addr.to_string()).arg(&setup.body);
    command
}
