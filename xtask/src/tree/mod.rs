//! What may and may not be in the dependency trees.
//!
//! - [`parse`]: the text of `cargo tree` as data;
//! - [`rules`]: the table of what is asserted, and the judgement.

mod parse;
mod rules;

use anyhow::{Result, bail};

use crate::{cargo, process};
use parse::Tree;
use rules::RULES;

/// Asks cargo for the tree of every rule and judges it.
///
/// The control is the default build, which holds every runtime: a rule that accepts it looks at nothing.
pub(crate) fn run() -> Result<()> {
    let everything = tree_of("runtime-lab", &[])?;
    let mut broken = 0_usize;
    for rule in RULES {
        if rule.judge(&everything).is_empty() {
            bail!("the rule \"{}\" accepts a tree with every runtime in it", rule.name);
        }
        let findings = rule.judge(&tree_of(rule.package, rule.build)?);
        println!("{} {}", if findings.is_empty() { "ok    " } else { "broken" }, rule.name);
        for finding in &findings {
            println!("       {finding}");
        }
        broken += usize::from(!findings.is_empty());
    }
    if broken > 0 {
        bail!("{broken} of {} rules on the dependency trees are broken", RULES.len());
    }
    Ok(())
}

/// The tree of `package` in the build that the flags `build` choose.
fn tree_of(package: &str, build: &[&str]) -> Result<Tree> {
    let mut args = vec!["tree", "--locked", "--edges", "normal,features", "--package", package];
    args.extend(build);
    Ok(Tree::parse(&process::output(&mut cargo::command(&args))?))
}
