//! Address pools, access rules, account state and local credential checks.
