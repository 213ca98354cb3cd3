//! Networks as a tree, because of two networks that share an address one contains the other.

use ipnet::Ipv4Net;

use super::matches::NONE;

/// The networks of a list with the rules for each, and a division of all addresses by the smallest network of each.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// Sorted: a network is after those that contain it. The first one contains every address.
    pub(super) nodes: Vec<Node>,
    /// The first address of each part, sorted; the first part begins at 0.
    starts: Vec<u32>,
    /// The smallest network of each part.
    owners: Vec<u32>,
}

/// One network.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The next larger network; [`NONE`] for the first one.
    pub(super) parent: u32,
    /// The rules for exactly this network, in order.
    pub(super) rules: Vec<u32>,
    last: u32,
}

impl Tree {
    /// Builds the tree; `networks` are pairs of a network and a rule for it.
    pub(super) fn new(mut networks: Vec<(Ipv4Net, u32)>) -> Tree {
        let key = |(net, rule): &(Ipv4Net, u32)| (u32::from(net.network()), net.prefix_len(), *rule);
        networks.sort_unstable_by_key(key);
        let mut tree = Tree {
            nodes: vec![Node { parent: NONE, rules: Vec::new(), last: u32::MAX }],
            starts: vec![0],
            owners: vec![0],
        };
        // The networks that contain the present address, the smallest last.
        let mut open: Vec<u32> = vec![0];
        let mut newest = Ipv4Net::default();
        for (net, rule) in networks {
            if net != newest {
                tree.close(&mut open, u32::from(net.network()));
                let number = tree.nodes.len() as u32;
                let parent = open.last().copied().unwrap_or(0);
                tree.nodes.push(Node { parent, rules: Vec::new(), last: u32::from(net.broadcast()) });
                tree.begin(u32::from(net.network()), number);
                open.push(number);
                newest = net;
            }
            if let Some(node) = tree.nodes.last_mut() {
                node.rules.push(rule);
            }
        }
        tree.close(&mut open, u32::MAX);
        tree
    }

    /// Closes the networks that end before an address.
    fn close(&mut self, open: &mut Vec<u32>, before: u32) {
        while let [.., outer, inner] = open.as_slice() {
            let (outer, last) = (*outer, self.nodes.get(*inner as usize).map_or(u32::MAX, |node| node.last));
            if last >= before {
                return;
            }
            self.begin(last + 1, outer);
            open.pop();
        }
    }

    /// Begins a part at an address.
    fn begin(&mut self, start: u32, owner: u32) {
        if self.starts.last() == Some(&start) {
            self.starts.pop();
            self.owners.pop();
        }
        self.starts.push(start);
        self.owners.push(owner);
    }

    /// The smallest network that contains an address.
    pub(super) fn find(&self, address: u32) -> usize {
        let after = self.starts.partition_point(|start| *start <= address);
        self.owners.get(after.saturating_sub(1)).map_or(0, |owner| *owner as usize)
    }

    /// The networks that contain network `number`, beginning with itself.
    pub(super) fn chain(&self, number: usize) -> impl Iterator<Item = usize> {
        let mut next = number as u32;
        core::iter::from_fn(move || {
            let node = self.nodes.get(next as usize)?;
            Some(core::mem::replace(&mut next, node.parent) as usize)
        })
    }

    /// For each network whether it has an address that is in no smaller one.
    pub(super) fn own_addresses(&self) -> Vec<bool> {
        let mut own = vec![false; self.nodes.len()];
        for owner in &self.owners {
            if let Some(own) = own.get_mut(*owner as usize) {
                *own = true;
            }
        }
        own
    }
}
