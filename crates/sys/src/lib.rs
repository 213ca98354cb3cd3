//! Linux: GRE sockets, TUN, netlink, nft, resolver, and the journal that undoes.
