// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Vm} from "./Vm.sol";

/// @notice What an auditor does with raw logs, in plain Solidity and from the written rule alone.
library Replay {
    bytes32 internal constant REGISTERED =
        keccak256("IssuerRegistered(uint256,address,bytes32,uint40,bytes32)");
    bytes32 internal constant DID = keccak256("IssuerDid(uint256,string)");

    /// @notice head_0 of an issuer.
    function first(
        uint256 chain,
        address registry,
        uint256 issuer,
        address owner,
        bytes32 didHash,
        uint256 time
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(chain, registry, issuer, owner, didHash, time));
    }

    /// @notice The head after an event; `body` is its data without the last word.
    function next(bytes32 head, bytes32 topic0, bytes32 topic2, bytes32 topic3, bytes memory body)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(head, topic0, topic2, topic3, body));
    }

    /// @notice Replays the logs of one issuer from its registration.
    /// @dev Reverts where a log does not even have the shape of an event.
    /// @return good every event states the head that follows from those before it
    /// @return head the last head; the caller compares it with the slot
    function run(address registry, Vm.Log[] memory logs) internal view returns (bool good, bytes32 head) {
        good = true;
        bytes32 didHash;
        for (uint256 i = 0; i < logs.length; ++i) {
            Vm.Log memory log = logs[i];
            if (log.topics[0] == DID) {
                // Right after the registration; it is not folded, so nothing else fixes its place.
                good = good && i == 1 && isDid(log.data, didHash);
            } else if (log.topics[0] == REGISTERED) {
                good = good && i == 0;
                (didHash, head) = start(registry, log);
                good = good && lastWord(log.data) == head;
            } else {
                good = good && i > 1;
                head = step(head, log);
                good = good && lastWord(log.data) == head;
            }
        }
    }

    /// @notice The head after a registration, and the DID hash it names. Takes whole words: cut down to its
    /// 160 bits, an altered owner would go unseen.
    function start(address registry, Vm.Log memory log)
        internal
        view
        returns (bytes32 didHash, bytes32 head)
    {
        bytes32 time;
        (didHash, time,) = abi.decode(log.data, (bytes32, bytes32, bytes32));
        head = keccak256(abi.encode(block.chainid, registry, log.topics[1], log.topics[2], didHash, time));
    }

    /// @notice Whether `data` is the DID with that hash, in its one encoding.
    function isDid(bytes memory data, bytes32 didHash) internal pure returns (bool) {
        string memory did = abi.decode(data, (string));
        return keccak256(bytes(did)) == didHash && keccak256(abi.encode(did)) == keccak256(data);
    }

    /// @notice The head after one logged event.
    function step(bytes32 head, Vm.Log memory log) internal pure returns (bytes32) {
        bytes32 topic3 = log.topics.length == 4 ? log.topics[3] : bytes32(0);
        return next(head, log.topics[0], log.topics[2], topic3, withoutLastWord(log.data));
    }

    function withoutLastWord(bytes memory data) internal pure returns (bytes memory body) {
        body = bytes.concat(data);
        assembly ("memory-safe") {
            // A copy that ends one word earlier.
            mstore(body, sub(mload(body), 0x20))
        }
    }

    function lastWord(bytes memory data) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            // The bytes begin one word after `data`, so their last word begins at `data` plus their length.
            word := mload(add(data, mload(data)))
        }
    }
}
