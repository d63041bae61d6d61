// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../../src/ICredentialRegistry.sol";
import {Replay} from "../support/Replay.sol";
import {Test} from "../support/Test.sol";
import {Vm} from "../support/Vm.sol";
import {Handler} from "./Handler.sol";

/// @dev A registry in the hands of the handler.
abstract contract InvariantTest is Test {
    ICredentialRegistry internal registry;
    Handler internal handler;

    function setUp() public {
        vm.warp(1_800_000_000);
        registry = ICredentialRegistry(vm.deployCode("CredentialRegistry.sol:CredentialRegistry"));
        handler = new Handler(registry, _keepsLogs());
    }

    function _keepsLogs() internal pure virtual returns (bool);

    /// @dev forge asks this for what it should call.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }
}

/// @notice An issuer's head stands for exactly its events.
contract HeadInvariantTest is InvariantTest {
    function _keepsLogs() internal pure override returns (bool) {
        return true;
    }

    /// @dev After every act: the head in storage is the fold of the raw logs so far.
    function invariant_TheHeadIsTheFoldOfTheLogs() public view {
        uint256 issuer = handler.lastIssuer();
        assertEq(registry.headOf(issuer), handler.foldedHead(issuer), "head");
    }

    /// @dev After every run: the logs replay from the first on, and no longer do once somebody touched them.
    function afterInvariant() public view {
        for (uint256 issuer = 1; issuer <= handler.ISSUERS(); ++issuer) {
            Vm.Log[] memory logs = handler.logsOf(issuer);
            assertTrue(_proves(issuer, logs), "the logs as they were");
            uint256 seed = uint256(registry.headOf(issuer));
            for (uint256 i = 0; i < 3; ++i) {
                seed = uint256(keccak256(abi.encode(seed)));
                assertTrue(!_proves(issuer, _without(logs, seed % logs.length)), "one is missing");
                assertTrue(!_proves(issuer, _altered(logs, seed)), "one is altered");
                assertTrue(!_proves(issuer, _swapped(logs, seed)), "two changed places");
                assertTrue(!_proves(issuer, _repeated(logs, seed % logs.length)), "one came twice");
            }
            assertTrue(!_proves(issuer, _without(logs, logs.length - 1)), "the last is missing");
        }
    }

    function replay(Vm.Log[] calldata logs) external view returns (bool good, bytes32 head) {
        return Replay.run(address(registry), logs);
    }

    /// @dev Whether an auditor would be content with these logs.
    function _proves(uint256 issuer, Vm.Log[] memory logs) private view returns (bool) {
        try this.replay(logs) returns (bool good, bytes32 head) {
            return good && head == registry.headOf(issuer);
        } catch {
            return false;
        }
    }

    function _without(Vm.Log[] memory logs, uint256 at) private pure returns (Vm.Log[] memory fewer) {
        fewer = new Vm.Log[](logs.length - 1);
        for (uint256 i = 0; i < fewer.length; ++i) {
            fewer[i] = logs[i < at ? i : i + 1];
        }
    }

    function _repeated(Vm.Log[] memory logs, uint256 at) private pure returns (Vm.Log[] memory more) {
        more = new Vm.Log[](logs.length + 1);
        for (uint256 i = 0; i < more.length; ++i) {
            more[i] = logs[i <= at ? i : i - 1];
        }
    }

    function _swapped(Vm.Log[] memory logs, uint256 seed) private pure returns (Vm.Log[] memory other) {
        other = new Vm.Log[](logs.length);
        for (uint256 i = 0; i < logs.length; ++i) {
            other[i] = logs[i];
        }
        uint256 first = seed % logs.length;
        uint256 second = (first + 1 + (seed >> 128) % (logs.length - 1)) % logs.length;
        (other[first], other[second]) = (logs[second], logs[first]);
    }

    /// @dev One bit of one log, in a topic other than the issuer or in the data.
    function _altered(Vm.Log[] memory logs, uint256 seed) private pure returns (Vm.Log[] memory other) {
        other = new Vm.Log[](logs.length);
        for (uint256 i = 0; i < logs.length; ++i) {
            other[i] = logs[i];
        }
        uint256 at = seed % logs.length;
        // A copy: the log in memory is shared.
        Vm.Log memory log = abi.decode(abi.encode(logs[at]), (Vm.Log));
        uint256 topic = (seed >> 64) % (log.topics.length + 2);
        if (topic != 1 && topic < log.topics.length) {
            log.topics[topic] ^= bytes32(uint256(1) << ((seed >> 96) % 256));
        } else {
            uint256 byte_ = (seed >> 96) % log.data.length;
            // forge-lint: disable-next-line(incorrect-shift) a mask is one bit shifted
            log.data[byte_] ^= bytes1(uint8(1 << ((seed >> 192) % 8)));
        }
        other[at] = log;
    }
}

/// @notice Only those change something who may, and only what is theirs, in the ways that there are.
contract StateInvariantTest is InvariantTest {
    function _keepsLogs() internal pure override returns (bool) {
        return false;
    }

    /// @dev After every act:
    /// - it passed only if owners, roles and compromises allowed it to its sender;
    /// - it wrote no slot that an act of another issuer ever wrote;
    /// - the root that it could touch has the anchor, the revocations and the suspensions of the model. The model
    ///   writes an anchor when it is anchored or anchored again and flags it when its batch is revoked; no change
    ///   of word, owner, operator or accreditation does. It never clears a bit of its revocations.
    function invariant_OnlyTheRightfulChangeWhatIsTheirs() public view {
        assertTrue(handler.trespasses() == 0, "an act without right");
        assertTrue(handler.foreignWrites() == 0, "a slot of another issuer");
        _checkRoot(handler.lastIssuer(), handler.lastRoot());
    }

    /// @dev After every run: every record there is.
    function afterInvariant() public view {
        for (uint256 issuer = 1; issuer <= handler.ISSUERS(); ++issuer) {
            _checkIssuer(issuer);
            _checkOperators(issuer);
            for (uint256 n = 0; n < handler.ROOTS(); ++n) {
                _checkRoot(issuer, handler.rootOf(n));
            }
            for (uint256 other = 1; other <= handler.ISSUERS(); ++other) {
                _checkSpans(issuer, other);
            }
        }
    }

    function _checkIssuer(uint256 issuer) private view {
        (address owner, address pendingOwner,,) = registry.issuerOf(issuer);
        assertEq(owner, handler.owner(issuer), "owner");
        assertEq(pendingOwner, handler.pendingOwner(issuer), "pending owner");
    }

    function _checkRoot(uint256 issuer, bytes32 root) private view {
        (Handler.Anchor memory known, uint256[3] memory revoked, uint256[3] memory suspended) =
            handler.recordOf(issuer, root);
        (address by, uint40 time, uint48 size, uint8 flags) = registry.anchorOf(issuer, root);
        // Compared in one go: an assertion costs a call.
        bool same = by == known.operator && time == known.time && size == known.size && flags == known.flags;
        bytes32 id = keccak256(abi.encode(issuer, root));
        for (uint256 word = 0; word < 3; ++word) {
            same = same && _word(id, word, 4) == revoked[word] && _word(id, word, 5) == suspended[word];
        }
        assertTrue(same, "anchor, revocations or suspensions");
    }

    function _word(bytes32 id, uint256 word, uint256 slot) private view returns (uint256) {
        bytes32 words = keccak256(abi.encode(id, slot));
        return uint256(vm.load(address(registry), keccak256(abi.encode(word, words))));
    }

    function _checkOperators(uint256 issuer) private view {
        address[] memory keys = handler.keys();
        for (uint256 i = 0; i < keys.length; ++i) {
            (uint8 roles, uint40 since) = registry.operatorOf(issuer, keys[i]);
            assertEq(roles, handler.roles(issuer, keys[i]), "roles");
            assertEq(since, handler.since(issuer, keys[i]), "since");
            assertEq(registry.bareIssuerOf(keys[i]), handler.bareIssuer(keys[i]), "issuer of bare roots");
        }
    }

    function _checkSpans(uint256 accreditor, uint256 issuer) private view {
        Handler.Span[] memory spans = handler.spansOf(accreditor, issuer);
        assertEq(registry.accreditationCount(accreditor, issuer), spans.length, "number of spans");
        for (uint256 n = 0; n < spans.length; ++n) {
            (uint40 from, uint40 until) = registry.accreditationSpan(accreditor, issuer, n);
            assertEq(from, spans[n].from, "from");
            assertEq(until, spans[n].until, "until");
        }
    }
}
