// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../src/ICredentialRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract TransferOwnershipTest is RegistryTest {
    string private constant STARTED = "OwnershipTransferStarted(uint256,address,uint40,bytes32)";

    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(OWNER);
        registry.transferOwnership(UNKNOWN, OUTSIDER);
    }

    function test_RevertWhen_TheCallerOwnsAnotherIssuer() public {
        _refuseNotOwner(ISSUER, OTHER_OWNER);
        vm.prank(OTHER_OWNER);
        registry.transferOwnership(ISSUER, OTHER_OWNER);
    }

    function test_RevertWhen_TheCallerIsAnOperator() public {
        _refuseNotOwner(ISSUER, operator);
        vm.prank(operator);
        registry.transferOwnership(ISSUER, operator);
    }

    function test_RevertWhen_ThereIsNoOfferToTakeBack() public {
        _refuse(ICredentialRegistry.NothingChanges.selector);
        vm.prank(OWNER);
        registry.transferOwnership(ISSUER, address(0));
    }

    function test_WhenTheNewOwnerIsAnAddress() public {
        _watch(ISSUER);
        vm.prank(OWNER);
        registry.transferOwnership(ISSUER, RELAYER);
        _expectLog3(ISSUER, STARTED, _word(RELAYER), "");
        _expectIssuer(ISSUER, OWNER, RELAYER);
    }

    function test_RevertWhen_TheOfferIsTheSame() public {
        _offer(RELAYER);
        _refuse(ICredentialRegistry.NothingChanges.selector);
        vm.prank(OWNER);
        registry.transferOwnership(ISSUER, RELAYER);
    }

    function test_WhenTheOfferIsToAnother() public {
        _offer(RELAYER);
        _watch(ISSUER);
        vm.prank(OWNER);
        registry.transferOwnership(ISSUER, OUTSIDER);
        _expectLog3(ISSUER, STARTED, _word(OUTSIDER), "");
        _expectIssuer(ISSUER, OWNER, OUTSIDER);
    }

    function test_WhenTheOfferIsTakenBack() public {
        _offer(RELAYER);
        _watch(ISSUER);
        vm.prank(OWNER);
        registry.transferOwnership(ISSUER, address(0));
        _expectLog3(ISSUER, STARTED, 0, "");
        _expectIssuer(ISSUER, OWNER, address(0));
    }

    function _offer(address newOwner) private {
        vm.prank(OWNER);
        registry.transferOwnership(ISSUER, newOwner);
    }
}

contract AcceptOwnershipTest is RegistryTest {
    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(OWNER);
        registry.acceptOwnership(UNKNOWN);
    }

    function test_RevertGiven_NothingWasOffered() public {
        _refuseNotPendingOwner(OWNER);
        vm.prank(OWNER);
        registry.acceptOwnership(ISSUER);
    }

    function test_RevertWhen_TheCallerIsAStranger() public {
        _offer(RELAYER);
        _refuseNotPendingOwner(OUTSIDER);
        vm.prank(OUTSIDER);
        registry.acceptOwnership(ISSUER);
    }

    function test_RevertWhen_TheCallerIsTheOwner() public {
        _offer(RELAYER);
        _refuseNotPendingOwner(OWNER);
        vm.prank(OWNER);
        registry.acceptOwnership(ISSUER);
    }

    function test_RevertGiven_TheOfferWasTakenBack() public {
        _offer(RELAYER);
        _offer(address(0));
        _refuseNotPendingOwner(RELAYER);
        vm.prank(RELAYER);
        registry.acceptOwnership(ISSUER);
    }

    function test_WhenTheCallerIsThePendingOwner() public {
        _offer(RELAYER);
        _watch(ISSUER);
        vm.prank(RELAYER);
        registry.acceptOwnership(ISSUER);
        _expectLog3(ISSUER, "OwnershipTransferred(uint256,address,uint40,bytes32)", _word(RELAYER), "");
        _expectIssuer(ISSUER, RELAYER, address(0));
    }

    function test_GivenTheOwnershipHasMoved() public {
        _offer(RELAYER);
        vm.prank(RELAYER);
        registry.acceptOwnership(ISSUER);

        _refuseNotOwner(ISSUER, OWNER);
        _setOperator(OUTSIDER, ANCHOR);

        vm.prank(RELAYER);
        registry.setOperator(ISSUER, OUTSIDER, ANCHOR);
        _expectOperator(ISSUER, OUTSIDER, ANCHOR, 0);
        _expectOperator(ISSUER, operator, BOTH, 0);
    }

    function _offer(address newOwner) private {
        vm.prank(OWNER);
        registry.transferOwnership(ISSUER, newOwner);
    }

    function _refuseNotPendingOwner(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.NotPendingOwner.selector, ISSUER, caller));
    }
}
