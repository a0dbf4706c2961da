//! Which models there are: those installed, those that can be pulled, and uploaded files. No clock: times are handed in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Card, ModelName};

/// The models of a machine. Its servers share them, as they share the folder of models; what each has loaded is its own.
#[derive(Clone, Debug)]
pub struct Store {
    /// What the registry offers: every model that the server was started with.
    offered: BTreeMap<ModelName, Card>,
    installed: BTreeMap<ModelName, Card>,
    /// Uploaded files: digest, and length in bytes.
    uploads: BTreeMap<String, u64>,
}

impl Store {
    /// A store with these models.
    pub fn new(cards: impl IntoIterator<Item = Card>) -> Self {
        let offered: BTreeMap<ModelName, Card> = cards.into_iter().map(|card| (card.name.clone(), card)).collect();
        let installed = offered.iter().filter(|(_, card)| card.installed);
        let installed = installed.map(|(name, card)| (name.clone(), card.clone())).collect();
        Self { offered, installed, uploads: BTreeMap::new() }
    }

    /// The installed model of this name.
    pub fn find(&self, name: &ModelName) -> Option<&Card> {
        self.installed.get(name)
    }

    /// The model that a pull of this name brings: one that the server was started with, whether installed or not.
    /// Copies and created models are in no registry.
    pub fn pullable(&self, name: &ModelName) -> Option<&Card> {
        self.offered.get(name)
    }

    /// The installed models, the newest first, then by name (`/api/tags`).
    pub fn list(&self) -> Vec<&Card> {
        let mut cards: Vec<&Card> = self.installed.values().collect();
        // The map is sorted by name and the sort is stable.
        cards.sort_by_key(|card| std::cmp::Reverse(modified_at(card)));
        cards
    }

    /// Installs a model that was pulled or created at this time (RFC 3339).
    pub fn add(&mut self, card: Card, modified_at: &str) {
        let card = Card { modified_at: modified_at.to_owned(), installed: true, ..card };
        self.installed.insert(card.name.clone(), card);
    }

    /// Copies a model at this time (RFC 3339); `false` where there is none to copy.
    pub fn copy(&mut self, source: &ModelName, destination: &ModelName, modified_at: &str) -> bool {
        let Some(card) = self.find(source) else { return false };
        let copy = Card { name: destination.clone(), ..card.clone() };
        self.add(copy, modified_at);
        true
    }

    /// Deletes a model and the files that no other one uses; `false` where there is none. It stays loaded if it is.
    pub fn delete(&mut self, name: &ModelName) -> bool {
        let Some(card) = self.installed.remove(name) else { return false };
        let used = self.digests();
        for layer in card.layers().iter().filter(|layer| !used.contains(&layer.digest)) {
            self.uploads.remove(&layer.digest);
        }
        true
    }

    /// Whether there is a file of this digest (`sha256:` and 64 hexadecimal digits in lower case).
    pub fn has_blob(&self, digest: &str) -> bool {
        self.uploads.contains_key(digest) || self.digests().contains(digest)
    }

    /// The length in bytes of the uploaded file of this digest.
    pub fn upload(&self, digest: &str) -> Option<u64> {
        self.uploads.get(digest).copied()
    }

    /// Keeps an uploaded file; `false` where it was there already.
    pub fn put_blob(&mut self, digest: &str, length: u64) -> bool {
        if self.has_blob(digest) {
            return false;
        }
        self.uploads.insert(digest.to_owned(), length);
        true
    }

    fn digests(&self) -> BTreeSet<String> {
        self.installed.values().flat_map(Card::layers).map(|layer| layer.digest).collect()
    }
}

fn modified_at(card: &Card) -> Timestamp {
    card.modified_at.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Store;
    use crate::models::{Card, ModelName, sha256};

    fn name(text: &str) -> ModelName {
        ModelName::parse(text).unwrap()
    }

    fn card(text: &str, modified_at: &str) -> Card {
        Card { modified_at: modified_at.to_owned(), ..Card::named(name(text)) }
    }

    fn store(cards: impl IntoIterator<Item = Card>) -> Store {
        Store::new(cards)
    }

    fn listed(store: &Store) -> Vec<&str> {
        store.list().into_iter().map(|card| card.name.as_str()).collect()
    }

    #[test]
    fn w_072_the_newest_model_is_listed_first_whatever_the_zone() {
        let store = store([
            card("old", "2026-08-01T10:00:00Z"),
            card("b", "2026-08-01T12:00:00+02:00"),
            card("a", "2026-08-01T10:00:00Z"),
            card("new", "2026-08-01T10:00:00.5Z"),
        ]);
        assert_eq!(listed(&store), ["new:latest", "a:latest", "b:latest", "old:latest"]);
    }

    #[test]
    fn a_model_that_is_not_installed_appears_when_it_is_pulled() {
        let mut store = store([Card { installed: false, ..card("m", "2026-08-01T10:00:00Z") }]);
        assert_eq!(store.find(&name("m")), None);
        let pulled = store.pullable(&name("m")).unwrap().clone();
        store.add(pulled, "2026-08-02T10:00:00Z");
        let found = store.find(&name("m")).unwrap();
        assert_eq!((found.installed, found.modified_at.as_str()), (true, "2026-08-02T10:00:00Z"));
    }

    #[test]
    fn a_copy_is_a_model_of_its_own_that_cannot_be_pulled() {
        let mut store = store([card("m", "2026-08-01T10:00:00Z")]);
        assert!(store.copy(&name("m"), &name("c"), "2026-08-02T10:00:00Z"));
        assert!(!store.copy(&name("nope"), &name("d"), "2026-08-02T10:00:00Z"));
        assert!(store.delete(&name("m")));
        assert_eq!(listed(&store), ["c:latest"]);
        assert_eq!(store.pullable(&name("c")), None);
        assert!(store.pullable(&name("m")).is_some());
    }

    #[test]
    fn a_model_is_deleted_once() {
        let mut store = store([card("m", "2026-08-01T10:00:00Z")]);
        assert_eq!([store.delete(&name("m")), store.delete(&name("m"))], [true, false]);
    }

    #[test]
    fn w_084_an_uploaded_file_is_new_once() {
        let mut store = store([]);
        let digest = sha256(b"hello");
        assert!(!store.has_blob(&digest));
        assert_eq!([store.put_blob(&digest, 5), store.put_blob(&digest, 5)], [true, false]);
        assert_eq!((store.has_blob(&digest), store.upload(&digest)), (true, Some(5)));
    }

    #[test]
    fn a_layer_of_an_installed_model_is_a_file_until_the_last_user_is_deleted() {
        let model = Card { template: Some("t".to_owned()), ..card("m", "2026-08-01T10:00:00Z") };
        let mut store = store([model]);
        let digest = sha256(b"t");
        store.copy(&name("m"), &name("c"), "2026-08-01T10:00:00Z");
        store.delete(&name("m"));
        assert!(store.has_blob(&digest));
        store.delete(&name("c"));
        assert!(!store.has_blob(&digest));
    }

    proptest! {
        #[test]
        fn copying_and_deleting_leaves_what_was_there(
            names in prop::collection::btree_set("[a-z]{1,4}", 1..6),
            copy in "x[0-9]{1,3}",
        ) {
            let mut store = store(names.iter().map(|text| card(text, "2026-08-01T10:00:00Z")));
            let before: Vec<Card> = store.list().into_iter().cloned().collect();
            prop_assert!(store.copy(&before[0].name, &name(&copy), "2026-08-02T10:00:00Z"));
            prop_assert!(store.delete(&name(&copy)));
            prop_assert_eq!(store.list().into_iter().cloned().collect::<Vec<_>>(), before);
        }
    }
}
