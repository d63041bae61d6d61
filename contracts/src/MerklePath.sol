// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Inclusion paths in RFC 9162 Merkle trees over SHA-256
/// @notice A leaf is SHA-256(0x00 || digest), a node SHA-256(0x01 || left || right); the last node of a level
/// with an odd number of nodes is promoted. Source: RFC 9162 sections 2.1.1 and 2.1.3.2.
///
/// Every hash checks that the precompile succeeded and returned 32 bytes. Without that, a call given too
/// little gas, or a chain without the precompile, would go on with whatever lay in memory.
library MerklePath {
    /// @notice What a path shows.
    enum Result {
        BadIndex,
        BadLength,
        BadRoot,
        Included
    }

    /// @dev The SHA-256 precompile.
    uint256 private constant SHA256 = 2;

    /// @notice Checks that `digest` is leaf number `index` of the tree of `size` leaves under `root`.
    /// @dev Reverts without data when a hash fails. Hashes once a level at most, however long the path: never
    /// more than 48 times above the leaf for a size of 48 bits.
    /// @param root the tree's root
    /// @param size number of leaves; 0 gives BadIndex
    /// @param digest what the leaf holds
    /// @param index position of the leaf, from 0
    /// @param path siblings, from the leaf's upwards
    /// @return result the first that applies
    function check(bytes32 root, uint256 size, bytes32 digest, uint256 index, bytes32[] calldata path)
        internal
        view
        returns (Result result)
    {
        if (index >= size) return Result.BadIndex;
        (bytes32 node, bool fits) = _climb(leafOf(digest), size, index, path);
        if (!fits) return Result.BadLength;
        return node == root ? Result.Included : Result.BadRoot;
    }

    /// @notice SHA-256(0x00 || digest).
    function leafOf(bytes32 digest) internal view returns (bytes32 leaf) {
        assembly ("memory-safe") {
            // In scratch space. Byte 0 is the prefix,
            mstore8(0x00, 0x00)
            // bytes 1 to 32 are the digest.
            mstore(0x01, digest)
            // All gas may go in: what a failure leaves over, the revert gives back.
            let done := staticcall(gas(), SHA256, 0x00, 0x21, 0x00, 0x20)
            // Anything but 32 bytes is no hash.
            if iszero(and(done, eq(returndatasize(), 0x20))) { revert(0x00, 0x00) }
            // The hash landed over what was hashed.
            leaf := mload(0x00)
        }
    }

    /// @dev Walks the levels of the tree upwards from `leaf`. `index` and `last` are this node and the last
    /// node of its level: an odd node has its sibling on the left, an even one on the right, and an even one
    /// that is the last has none and is promoted. `fits` says that the path had one element for each sibling.
    /// Its twin in plain Solidity, word by word from the RFC, is `Rfc9162.climb` in the tests.
    function _climb(bytes32 leaf, uint256 size, uint256 index, bytes32[] calldata path)
        private
        view
        returns (bytes32 node, bool fits)
    {
        assembly ("memory-safe") {
            // The walk begins at the leaf.
            node := leaf
            // Three words above the free memory pointer, not kept: the prefix, left and right.
            let at := mload(0x40)
            // The prefix is the last byte of its word: the 65 bytes to hash begin there.
            mstore(at, 0x01)
            // Where the next sibling is in the calldata. Of a path that is too short, what lies behind it is
            // read and hashed in vain: the count at the end refuses it, whatever the hash.
            let next := path.offset
            // One turn a level. At the root, `last` is 0.
            for { let last := sub(size, 1) } last { last := shr(1, last) } {
                // 1 if this node is the right one of its pair.
                let odd := and(index, 1)
                // Everyone has a sibling but the even last.
                if or(odd, xor(index, last)) {
                    // 0 for the left word, 32 for the right one.
                    let side := shl(5, odd)
                    // This node is the left one if it is even, else the right one.
                    mstore(add(at, add(0x20, side)), node)
                    // Its sibling is the other.
                    mstore(add(at, sub(0x40, side)), calldataload(next))
                    // The path's next element is for a level above.
                    next := add(next, 0x20)
                    // The hash lands in scratch space; gas and size as for a leaf.
                    let done := staticcall(gas(), SHA256, add(at, 0x1f), 0x41, 0x00, 0x20)
                    // Anything but 32 bytes is no hash.
                    if iszero(and(done, eq(returndatasize(), 0x20))) { revert(0x00, 0x00) }
                    // Up one level: the hash is this node's parent.
                    node := mload(0x00)
                }
                // A parent, or a promoted node, has half the index.
                index := shr(1, index)
            }
            // As many siblings were asked for as were given.
            fits := eq(next, add(path.offset, shl(5, path.length)))
        }
    }
}
